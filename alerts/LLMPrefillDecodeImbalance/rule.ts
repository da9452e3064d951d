// One side of a disaggregated model queues while the other idles, and an objective suffers.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const waiting = (pool: string) => `sum by (cluster, model) (${select(METRICS.engineWaiting, { pool })})`
// One is added on both sides, so that two short queues are balanced.
const ratio = `(${waiting('prefill')} + 1) / (${waiting('decode')} + 1)`

export const LLMPrefillDecodeImbalance: AlertDefinition = {
  name: 'LLMPrefillDecodeImbalance',
  family: 'cause',
  phase: 'engine.queue',
  summary: 'Prefill and decode pools are out of balance.',
  description:
    'The prefill pool of {{ $labels.model }} queues {{ $value | humanize }} times as much as its decode pool, and an objective burns its budget.',
  dashboard: 'disaggregation',
  variants: () => [
    {
      expr: `(${ratio} > 3 or ${ratio} < 0.333)
and
${waiting('prefill')} + ${waiting('decode')} > 10
and
max by (cluster, model) (${RECORDINGS.currentBurnRate}) > 1`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
