// A GPU runs below its clock for heat or power, and its decode is slower than its peers'.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const decode = select(RECORDINGS.replicaPhaseMeanSeconds, { phase: 'engine.decode' })

export const LLMGPUThrottled: AlertDefinition = {
  name: 'LLMGPUThrottled',
  family: 'cause',
  phase: 'engine.decode',
  needsCounters: true,
  summary: 'A throttled GPU slows decode.',
  description:
    'A GPU of replica {{ $labels.replica }} of {{ $labels.model }} is throttled ({{ $labels.reason }}) and decodes slower than its peers.',
  dashboard: 'replica',
  variants: () => [
    {
      expr: `max by (cluster, model, replica, reason) (max_over_time(${METRICS.engineGpuThrottled.name}[5m])) > 0
and on (cluster, model, replica)
(${decode} > on (cluster, model) group_left () 1.05 * quantile by (cluster, model) (0.5, ${decode}))`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
