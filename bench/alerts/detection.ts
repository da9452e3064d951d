// `npm run bench:alert-detection`: minutes from the first bad request to a page, by the share of bad requests and by traffic, with the ladder of
// a 99 % promise in a real Prometheus. Seeded Poisson traffic; scrape 15 s, evaluation 30 s; the group's wait of 10 s comes on top.
import { METRICS } from '@longpole/model/conventions/metrics'
import { alertContext, recordingGroups } from '../../alerts/generate.ts'
import { ALERTS } from '../../alerts/index.ts'
import { render } from '../../alerts/rule.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createRandom, poisson } from './healthy.ts'
import { History, type Series } from './history.ts'
import { quantile } from './summary.ts'

const START = 1_790_000_010
const SCRAPE = 15
const STEP = 30
const HEALTHY = 7_200
const INCIDENT = 4_200
const SHARES = [1, 0.5, 0.3, 0.2, 0.15]
const PER_MINUTE = [10, 60]
const RUNS = 20

const context = alertContext(configSchema.parse({}))
const cases = SHARES.flatMap((share) =>
  PER_MINUTE.flatMap((perMinute) =>
    Array.from({ length: RUNS }, (_, run) => ({ share, perMinute, model: `${share} ${perMinute} ${run}` })),
  ),
)

function* counters(): Generator<Series> {
  for (const [index, { share, perMinute, model }] of cases.entries()) {
    const random = createRandom(index + 1)
    const totals = { good: 0, bad: 0 }
    const points = { good: [] as [number, number][], bad: [] as [number, number][] }
    for (let second = 0; second <= HEALTHY + INCIDENT; second += SCRAPE) {
      const requests = poisson((perMinute * SCRAPE) / 60, random)
      // Half of the budget of one percent while it is well.
      const bad = second < HEALTHY ? 0.005 : share
      for (let made = 0; made < requests; made++) totals[random() < bad ? 'bad' : 'good']++
      for (const result of ['good', 'bad'] as const) points[result].push([START + second, totals[result]])
    }
    for (const result of ['good', 'bad'] as const) {
      const labels = { cluster: 'c1', model, slo: 'ttft', prompt_class: '1k', vantage: 'client', result }
      yield { name: METRICS.sloRequestsTotal.name, labels, points: points[result] }
    }
  }
}

await using history = new History()
await history.add(counters())
const end = START + HEALTHY + INCIDENT
const rules = recordingGroups(context).filter(({ name }) => name.startsWith('longpole-slo'))
await history.record(
  rules.flatMap((group) => group.rules),
  START,
  end,
  STEP,
)
const first = new Map<string, number>()
for (const alert of ALERTS.flatMap((definition) => render(definition, context))) {
  if (alert.labels.slo !== 'ttft' || alert.labels.channel !== 'page') continue
  for (const { labels, from } of await history.firings(alert, START, end, STEP)) {
    const model = labels.model ?? ''
    first.set(model, Math.min(first.get(model) ?? Number.POSITIVE_INFINITY, from))
  }
}
console.log('| bad | requests a minute | p50 | p95 | paged |\n|---|---|---|---|---|')
for (const share of SHARES) {
  for (const perMinute of PER_MINUTE) {
    const own = cases.filter((entry) => entry.share === share && entry.perMinute === perMinute)
    const minutes = own
      .map(({ model }) => ((first.get(model) ?? Number.NaN) - START - HEALTHY) / 60)
      .filter((value) => !Number.isNaN(value))
    const [median, late] = [quantile(minutes, 0.5), quantile(minutes, 0.95)]
    console.log(`| ${share * 100} % | ${perMinute} | ${median} min | ${late} min | ${minutes.length} of ${own.length} |`)
  }
}
