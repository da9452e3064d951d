// A simulated incident and the same fleet and traffic without it: what happened to each model of each cluster, and who should have been
// woken. Healthy first, then the fault to the end.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { RequestRecord } from '@longpole/model/request-record'
import { judge, judgeGoodput, type Objective } from '@longpole/model/slo'
import { ladder } from '../../alerts/ladder.ts'
import { errorBudget } from '../../alerts/objectives.ts'
import { objectivesFor } from '../../src/config/objectives.ts'
import type { Shape } from '../../src/simulator/faults/fault.ts'
import type { InjectionTruth } from '../../src/simulator/truth/truth.ts'
import { FLEET_START, planInjection, runFleet } from '../../test/metrics/simulated-fleet.ts'

export interface FaultCase {
  /** As on the command line of `longpole simulate`, without the minute; null: nothing is injected. */
  fault: string | null
  shape: Shape
  seed: number
  /** Requests a second of the whole fleet. */
  rate: number
  healthyMinutes: number
  faultMinutes: number
}

export interface Incident {
  /** In the order in which they settle. */
  records: RequestRecord[]
  samples: EngineSample[]
  events: ChangeEvent[]
  truth: InjectionTruth | null
  /** Unix seconds. */
  startedAt: number
  faultAt: number
  endedAt: number
  /** By cluster and model: those whom the fault hurt. */
  harmed: Harm[]
}

/** What the fault did to one objective of one model in one cluster. */
export interface Harm {
  cluster: string
  model: string
  slo: string
  /** Longest time in which the bad share of five minutes was above FastBurn's threshold with the fault and not without it, minutes. */
  fastMinutes: number
  /** Mean bad share while the fault was on, with and without it. */
  badRatio: { with: number; without: number }
}

/** What a series says where a request reached no cluster: a label that is not known is empty. */
const NOWHERE = ''
const BIN_SECONDS = 60
const WINDOW_BINS = 5

export function simulateIncident(
  { fault, shape, seed, rate, healthyMinutes, faultMinutes }: FaultCase,
  objectives: readonly Objective[],
): Incident {
  const minutes = healthyMinutes + faultMinutes
  const planned = fault === null ? null : planInjection(`${fault}@${healthyMinutes}`, { seed, minutes, shape })
  const { truths, ...actual } = runFleet({ seed, minutes, rate, faults: planned === null ? [] : [planned] })
  const startedAt = Number(FLEET_START / 1_000_000_000n)
  const faultAt = startedAt + healthyMinutes * 60
  const endedAt = faultAt + faultMinutes * 60
  const count = (records: readonly RequestRecord[]) =>
    countBins(records, objectives, startedAt, Math.ceil((endedAt - startedAt) / BIN_SECONDS))
  const harmed =
    planned === null
      ? []
      : measureHarm(count(actual.records), countHealthy({ seed, minutes, rate }, count), { startedAt, faultAt, endedAt })
  return { ...actual, truth: truths[0] ?? null, startedAt, faultAt, endedAt, harmed }
}

type Run = Pick<FaultCase, 'seed' | 'rate'> & { minutes: number }
let healthy: { run: string; counts: Counts } | null = null

/** The same fleet and traffic without a fault: what a fault draws is drawn from a stream of its own, so one run serves every fault. */
function countHealthy(run: Run, count: (records: readonly RequestRecord[]) => Counts): Counts {
  const name = JSON.stringify(run)
  if (healthy?.run !== name) healthy = { run: name, counts: count(runFleet({ ...run, faults: [] }).records) }
  return healthy.counts
}

interface Bins {
  good: Float64Array
  bad: Float64Array
}
/** By cluster, model, objective. */
type Counts = Map<string, Bins>

function measureHarm(
  withFault: Counts,
  without: Counts,
  { startedAt, faultAt, endedAt }: Pick<Incident, 'startedAt' | 'faultAt' | 'endedAt'>,
): Harm[] {
  const bins = Math.ceil((endedAt - startedAt) / BIN_SECONDS)
  const from = Math.floor((faultAt - startedAt) / BIN_SECONDS)
  const harmed: Harm[] = []
  for (const [key, own] of withFault) {
    const [cluster, model, slo, objective] = JSON.parse(key) as [string | null, string | null, string, number]
    const other = without.get(key) ?? { good: new Float64Array(bins), bad: new Float64Array(bins) }
    const threshold = ladder(objective).find(({ name }) => name === 'LLMSLOFastBurn')?.conditions[0]?.threshold ?? 1
    let run = 0
    let fastMinutes = 0
    for (let bin = from; bin < bins; bin++) {
      const isAbove = share(own, bin) > threshold && share(other, bin) <= threshold
      run = isAbove ? run + 1 : 0
      // The share of a window rises while the window fills: the fault itself lasted longer than it was seen.
      fastMinutes = Math.max(fastMinutes, (run * BIN_SECONDS) / 60)
    }
    const badRatio = { with: meanShare(own, from, bins), without: meanShare(other, from, bins) }
    if (fastMinutes > 0 || badRatio.with > badRatio.without + errorBudget(objective))
      harmed.push({ cluster: cluster ?? NOWHERE, model: model ?? NOWHERE, slo, fastMinutes, badRatio })
  }
  return harmed.sort((a, b) => b.fastMinutes - a.fastMinutes)
}

function countBins(records: readonly RequestRecord[], objectives: readonly Objective[], startedAt: number, bins: number): Counts {
  const counts: Counts = new Map()
  for (const record of records) {
    // By arrival: when a request became bad is a matter of its deadline.
    const bin = Math.floor((Number(record.start_unix_ns / 1_000_000n) / 1e3 - startedAt) / BIN_SECONDS)
    if (bin < 0 || bin >= bins) continue
    const own = objectivesFor(objectives, record.model, record.tenant_class)
    const view =
      record.outcome === 'open'
        ? { ...record, age: startedAt + bins * BIN_SECONDS - Number(record.start_unix_ns / 1_000_000n) / 1e3 }
        : record
    const results = own.filter(({ slo }) => slo !== 'goodput').map((objective) => ({ objective, result: judge(objective, view) }))
    const goodput = own.find(({ slo }) => slo === 'goodput')
    if (goodput !== undefined) results.push({ objective: goodput, result: judgeGoodput(results.map(({ result }) => result)) })
    for (const { objective, result } of results) {
      if (result === null) continue
      const key = JSON.stringify([record.cluster, record.model, objective.slo, objective.objective])
      const entry = counts.get(key) ?? { good: new Float64Array(bins), bad: new Float64Array(bins) }
      counts.set(key, entry)
      entry[result][bin] = (entry[result][bin] as number) + 1
    }
  }
  return counts
}

/** Bad share of the five minutes that end with a bin. */
function share({ good, bad }: Bins, bin: number): number {
  return meanShare({ good, bad }, Math.max(0, bin - WINDOW_BINS + 1), bin + 1)
}

function meanShare({ good, bad }: Bins, from: number, to: number): number {
  let all = 0
  let ill = 0
  for (let bin = from; bin < to; bin++) {
    ill += bad[bin] as number
    all += (bad[bin] as number) + (good[bin] as number)
  }
  return all === 0 ? 0 : ill / all
}
