// Clients of one region see their first token a quarter of a second later than the server sent it.
import { METRICS } from '@longpole/model/conventions/metrics'
import { histogramQuantile, series } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const BY = 'model, client_region'

export const LLMNetworkPhase: AlertDefinition = {
  name: 'LLMNetworkPhase',
  family: 'cause',
  phase: 'stream.network',
  summary: 'Time is lost between clients and servers.',
  description:
    'Clients in {{ $labels.client_region }} see first tokens of {{ $labels.model }} {{ $value | humanizeDuration }} later than the server sends them.',
  dashboard: 'client-and-network',
  variants: () => [
    {
      expr: `${histogramQuantile(0.95, METRICS.clientTtftSeconds, BY, '10m')}
-
${histogramQuantile(0.95, METRICS.serverTtftSeconds, BY, '10m')} > 0.25
and
sum by (${BY}) (increase(${series(METRICS.clientTtftSeconds, 'count')}[10m])) >= 100`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
