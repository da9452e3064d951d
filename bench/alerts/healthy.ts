// Thirty days of a healthy fleet as counters of good and bad requests: five models from three requests a minute to twenty a second,
// days and weekends, bursts, deploys, campaigns of long prompts, replicas scaled down at night. Seeded. Healthy means that over the
// month half of each error budget is used.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { Objective } from '@longpole/model/slo'
import type { Series } from './history.ts'

export const HEALTHY_MODELS = [
  { name: 'nightly-eval', perSecond: 0.05 },
  { name: 'internal-chat', perSecond: 0.5 },
  { name: 'code-assist', perSecond: 2 },
  { name: 'rag', perSecond: 6 },
  { name: 'public-chat', perSecond: 20 },
] as const

export interface HealthyOptions {
  seed: number
  days: number
  stepSeconds: number
  startSeconds: number
  objectives: readonly Objective[]
  /** Bad requests come one by one (1), or in batches of so many on average. */
  clusterSize: number
}

/** SplitMix32: small, seeded, good enough for traffic. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let value = state ^ (state >>> 16)
    value = Math.imul(value, 0x21f0aaad)
    value ^= value >>> 15
    value = Math.imul(value, 0x735a2d97)
    return ((value ^ (value >>> 15)) >>> 0) / 4_294_967_296
  }
}

/** Poisson by inversion below 30, by its normal limit above. */
export function poisson(mean: number, random: () => number): number {
  if (mean <= 0) return 0
  if (mean > 30) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal))
  }
  let count = 0
  for (let product = random(); product > Math.exp(-mean); product *= random()) count++
  return count
}

interface Weather {
  /** Factor on traffic and on the share of bad requests in this step. */
  traffic: number
  bad: number
}

const DAY = 86_400

/** What happens to one model over the days, step by step. */
function weather(options: HealthyOptions, random: () => number): (second: number) => Weather {
  const deploys = Array.from({ length: options.days }, (_, day) =>
    (day % 7 < 5 ? day : -1) >= 0 ? (day + 0.4 + 0.25 * random()) * DAY : -1,
  ).filter((at) => at >= 0)
  const campaigns = Array.from({ length: Math.ceil(options.days / 6) }, () => ({
    from: random() * options.days * DAY,
    seconds: (2 + 4 * random()) * 3_600,
  }))
  const phase = random() * 0.1
  let burst = 1
  let burstUntil = 0
  return (second) => {
    const hour = ((second / DAY + phase) % 1) * 24
    const isWeekend = Math.floor(second / DAY) % 7 >= 5
    const diurnal = (0.55 + 0.45 * Math.sin(((hour - 9) / 24) * 2 * Math.PI)) * (isWeekend ? 0.5 : 1)
    if (second >= burstUntil) {
      burst = random() < 0.002 ? 2 + 2 * random() : 1
      burstUntil = second + (burst > 1 ? 120 + 480 * random() : options.stepSeconds)
    }
    const isDeploy = deploys.some((at) => second >= at && second < at + 300)
    const isCampaign = campaigns.some(({ from, seconds }) => second >= from && second < from + seconds)
    const isScaling = hour > 22 && hour < 22.5
    // Cold caches after a deploy, fuller queues in a burst, longer prompts in a campaign, fewer replicas at night.
    const bad = (isDeploy ? 4 : 1) * (burst > 1 ? 2 : 1) * (isCampaign ? 1.8 : 1) * (isScaling ? 2 : 1)
    return { traffic: Math.max(0.05, diurnal) * burst * (isCampaign ? 1.2 : 1), bad }
  }
}

/** Counters by model, objective and result. */
export function* healthySeries(options: HealthyOptions): Generator<Series> {
  const { seed, days, stepSeconds, startSeconds, objectives, clusterSize } = options
  const steps = (days * DAY) / stepSeconds
  for (const [index, model] of HEALTHY_MODELS.entries()) {
    const random = createRandom(seed * 1_000 + index)
    const at = weather(options, random)
    const states = objectives.map(({ slo, objective }) => ({
      slo,
      base: 0.5 * (1 - objective),
      good: 0,
      bad: 0,
      goodPoints: [] as [number, number][],
      badPoints: [] as [number, number][],
    }))
    // The weather makes some steps worse; what is left for ordinary ones keeps the month at half of the budget.
    const correction = 1 / 1.25
    for (let step = 0; step <= steps; step++) {
      const second = step * stepSeconds
      const { traffic, bad } = at(second)
      const requests = poisson(model.perSecond * stepSeconds * traffic, random)
      for (const state of states) {
        const share = state.base * bad * correction
        // Bad requests come one by one, or as batches that arrive together and are bad together (a client's retries, a cold prefix).
        let badNow = Math.min(requests, poisson(clusterSize > 1 ? 0 : requests * share, random))
        const ordinary = requests - badNow
        const batches = clusterSize > 1 ? poisson((requests * share) / clusterSize, random) : 0
        for (let batch = 0; batch < batches; batch++) badNow += Math.round(clusterSize * (0.5 + random()))
        state.bad += badNow
        state.good += ordinary
        state.goodPoints.push([startSeconds + second, state.good])
        state.badPoints.push([startSeconds + second, state.bad])
      }
    }
    for (const { slo, goodPoints, badPoints } of states) {
      const labels = { cluster: 'c1', model: model.name, slo, prompt_class: '1k', vantage: 'client' }
      yield { name: METRICS.sloRequestsTotal.name, labels: { ...labels, result: 'good' }, points: goodPoints }
      yield { name: METRICS.sloRequestsTotal.name, labels: { ...labels, result: 'bad' }, points: badPoints }
    }
  }
}
