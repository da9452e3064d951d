// One replica resets, times out or answers 5xx for a quarter of its requests.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const BY = 'cluster, model, replica'
const failed = `sum by (${BY}) (increase(${select(METRICS.replicaRequestsTotal, { outcome: '=~error|timeout' })}[5m]))`

export const LLMUpstreamErrors: AlertDefinition = {
  name: 'LLMUpstreamErrors',
  family: 'cause',
  summary: 'One replica fails a large part of its requests.',
  description:
    'Replica {{ $labels.replica }} of {{ $labels.model }} failed {{ $value | humanizePercentage }} of its requests in five minutes.',
  dashboard: 'replica',
  variants: () => [
    {
      expr: `${failed} / sum by (${BY}) (increase(${METRICS.replicaRequestsTotal.name}[5m])) > 0.25
and
${failed} >= 10`,
      for: '5m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
