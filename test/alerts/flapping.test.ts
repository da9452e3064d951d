// An incident that comes and goes is one page: faults that are on and off for half a minute to five minutes must not fire and resolve again
// and again. The ladder over counters in a real Prometheus.
import { METRICS } from '@longpole/model/conventions/metrics'
import { beforeAll, describe, expect, test } from 'vitest'
import { alertContext, recordingGroups } from '../../alerts/generate.ts'
import { ALERTS } from '../../alerts/index.ts'
import { render } from '../../alerts/rule.ts'
import { countApart, type Firing, History, type Series } from '../../bench/alerts/history.ts'
import { configSchema } from '../../src/config/schema.ts'
import { findTool } from '../tools.ts'

const promtool = findTool('promtool')
const prometheus = findTool('prometheus')
const context = alertContext(configSchema.parse({}))
const START = 1_790_000_010
const SCRAPE = 15
const STEP = 30
const HEALTHY = 3_600
const INCIDENT = 2_400
const AFTER = 1_800
/** Requests of a scrape interval: one a second. */
const REQUESTS = 15

/** Seconds of one turn, half of it ill, and the share of bad requests while ill. */
const TURNS = [30, 60, 120, 300].flatMap((period) => [1, 0.6].map((bad) => ({ period, bad, model: `${period} s, ${bad * 100} % bad` })))

function* counters(): Generator<Series> {
  for (const { period, bad, model } of TURNS) {
    const totals = { good: 0, bad: 0 }
    const points = { good: [] as [number, number][], bad: [] as [number, number][] }
    for (let second = 0; second <= HEALTHY + INCIDENT + AFTER; second += SCRAPE) {
      const inside = second - HEALTHY
      const isIll = inside >= 0 && inside < INCIDENT && inside % period < period / 2
      totals.bad += isIll ? REQUESTS * bad : 0
      totals.good += REQUESTS * (isIll ? 1 - bad : 1)
      for (const result of ['good', 'bad'] as const) points[result].push([START + second, totals[result]])
    }
    for (const result of ['good', 'bad'] as const) {
      const labels = { cluster: 'c1', model, slo: 'ttft', prompt_class: '1k', vantage: 'client', result }
      yield { name: METRICS.sloRequestsTotal.name, labels, points: points[result] }
    }
  }
}

describe.skipIf(promtool.missing ?? prometheus.missing)('an incident that comes and goes', () => {
  const pages = new Map<string, Firing[]>()

  beforeAll(async () => {
    await using history = new History()
    await history.add(counters())
    const end = START + HEALTHY + INCIDENT + AFTER
    const slo = recordingGroups(context).filter(({ name }) => name.startsWith('longpole-slo'))
    await history.record(
      slo.flatMap(({ rules }) => rules),
      START,
      end,
      STEP,
    )
    for (const alert of ALERTS.flatMap((definition) => render(definition, context))) {
      if (alert.labels.slo !== 'ttft' || alert.labels.channel !== 'page') continue
      for (const firing of await history.firings(alert, START, end, STEP)) {
        const model = firing.labels.model ?? ''
        pages.set(model, [...(pages.get(model) ?? []), firing])
      }
    }
  }, 120_000)

  test.each(TURNS.map(({ model }) => model))('in turns of %s it fires once and resolves once', (model) => {
    const list = pages.get(model) ?? []
    expect(countApart(list)).toBe(1)
    expect(Math.min(...list.map(({ from }) => from))).toBeGreaterThan(START + HEALTHY)
  })
})
