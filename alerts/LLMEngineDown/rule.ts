// An engine does not answer its scrape: a ticket among several replicas, a page where it is the only one. One that answers its scrape and
// takes requests but produces no token hangs: a page.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'
import { label } from '../template.ts'

const BY = 'cluster, model, replica'
/** An engine that never answered has told nobody its model: it would be the only replica of none. */
const up = select(METRICS.engineUp, { model: '!=' })
const down = `min by (${BY}) (${up}) == 0`
const replicas = `count by (cluster, model) (count by (${BY}) (${up}))`

/** Not a token in three minutes although something runs. A prefill engine has none of its own. */
const stopped = `(
sum by (${BY}) (increase(${select(METRICS.engineTokensTotal, { kind: 'output', pool: '!=prefill' })}[3m])) == 0
and
sum by (${BY}) (min_over_time(${select(METRICS.engineRunning, { pool: '!=prefill' })}[3m])) > 0
)`
/** Callers wait for a first token and nobody gets one: what the sidecars see where the engine's page says nothing. */
const stuck = `(
sum by (${BY}) (${select(METRICS.requestsOpen, { phase: 'engine.queue', replica: '!=' })}) >= 3
and
max by (${BY}) (${select(METRICS.requestOpenAgeSecondsMax, { phase: 'engine.queue' })}) > 120
unless
sum by (${BY}) (increase(${select(METRICS.replicaRequestsTotal, { outcome: 'ok' })}[3m])) > 0
)`
const hangs = `${stopped}
or
${stuck}`

export const LLMEngineDown: AlertDefinition = {
  name: 'LLMEngineDown',
  family: 'cause',
  summary: 'An engine does not answer.',
  description: 'Replica {{ $labels.replica }} of {{ $labels.model }} has not answered its scrape for two minutes.',
  place: `replica=${label('replica', 60)} does not answer`,
  dashboard: 'replica',
  variants: () => [
    { expr: `${down}\nand on (cluster, model)\n${replicas} > 1`, for: '2m', severity: 'warning', channel: 'ticket' },
    { expr: `${down}\nand on (cluster, model)\n${replicas} <= 1`, for: '2m', severity: 'critical', channel: 'page' },
    // A replica that hangs takes its callers with it, and routers that look at load go on sending.
    {
      expr: hangs,
      for: '1m',
      severity: 'critical',
      channel: 'page',
      labels: { state: 'hangs' },
      summary: 'An engine has requests and produces no token.',
      place: `replica=${label('replica', 60)} hangs: it has requests and produces no token`,
      description: 'Replica {{ $labels.replica }} of {{ $labels.model }} has requests and has not produced a token for three minutes.',
    },
  ],
}
