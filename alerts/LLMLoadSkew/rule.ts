// Work is spread unevenly while the fullest replica is nearly full: the router is at fault and more replicas will not help.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

const BY = 'by (cluster, model, pool)'
const spread = (metric: string, least: number) => `stddev ${BY} (${metric}) / (avg ${BY} (${metric}) > ${least})`

export const LLMLoadSkew: AlertDefinition = {
  name: 'LLMLoadSkew',
  family: 'cause',
  phase: 'gateway.route',
  summary: 'Load is spread unevenly over the replicas.',
  description:
    'The load of the replicas of {{ $labels.model }} varies by {{ $value | humanizePercentage }} of its mean and the fullest has its KV cache above 85 %.',
  dashboard: 'queue-and-capacity',
  variants: () => [
    {
      expr: `(${spread(METRICS.engineRunning.name, 1)} > 0.5
or
${spread(METRICS.engineKvUsageRatio.name, 0.05)} > 0.3)
and
max ${BY} (${METRICS.engineKvUsageRatio.name}) > 0.85`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
