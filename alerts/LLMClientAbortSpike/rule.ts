// Callers hang up in numbers: mostly because they waited too long, sometimes because of their own timeouts.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const aborted = `sum by (cluster, model) (increase(${select(METRICS.requestsTotal, { outcome: 'aborted' })}[10m]))`

export const LLMClientAbortSpike: AlertDefinition = {
  name: 'LLMClientAbortSpike',
  family: 'cause',
  summary: 'Many callers abort their requests.',
  description: '{{ $value | humanizePercentage }} of the requests for {{ $labels.model }} were aborted by their callers in ten minutes.',
  dashboard: 'client-and-network',
  variants: () => [
    {
      expr: `${aborted} / sum by (cluster, model) (increase(${METRICS.requestsTotal.name}[10m])) > 0.1
and
${aborted} >= 20`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
