// Every replica is full and requests wait: capacity is missing, and routing is not to blame.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { AlertDefinition } from '../rule.ts'

const kv = METRICS.engineKvUsageRatio.name
const mean = `avg by (cluster, model) (${kv})`

export const LLMClusterSaturated: AlertDefinition = {
  name: 'LLMClusterSaturated',
  family: 'cause',
  phase: 'engine.queue',
  summary: 'All replicas are full.',
  description: 'The KV caches of all replicas of {{ $labels.model }} are {{ $value | humanizePercentage }} full and requests wait.',
  dashboard: 'queue-and-capacity',
  variants: () => [
    {
      expr: `${mean} > 0.9
and
stddev by (cluster, model) (${kv}) / ${mean} < 0.15
and
${RECORDINGS.engineWaiting} > 0`,
      for: '5m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
