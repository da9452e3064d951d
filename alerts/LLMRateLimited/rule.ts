// A noticeable share of requests is refused with 429: a quota is too small or capacity is.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const rejected = `sum by (cluster, model) (increase(${select(METRICS.requestsTotal, { outcome: 'rejected' })}[10m]))`

export const LLMRateLimited: AlertDefinition = {
  name: 'LLMRateLimited',
  family: 'cause',
  phase: 'gateway.queue',
  summary: 'Many requests are refused by rate limits.',
  description: '{{ $value | humanizePercentage }} of the requests for {{ $labels.model }} were refused in ten minutes.',
  dashboard: 'client-and-network',
  variants: () => [
    {
      expr: `${rejected} / sum by (cluster, model) (increase(${METRICS.requestsTotal.name}[10m])) > 0.05
and
${rejected} >= 20`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
