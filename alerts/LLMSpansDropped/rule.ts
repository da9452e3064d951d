// More than one span in a hundred is given up: records are incomplete, and findings weaker.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

function share(dropped: string, received: string): string {
  return `sum by (job, instance, reason) (rate(${dropped}[10m]))
/ on (job, instance) group_left ()
(sum by (job, instance) (rate(${received}[10m])) > 0.1) > 0.01`
}

export const LLMSpansDropped: AlertDefinition = {
  name: 'LLMSpansDropped',
  family: 'self',
  summary: 'Spans are dropped.',
  description: '{{ $value | humanizePercentage }} of the spans at {{ $labels.instance }} are dropped: {{ $labels.reason }}.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `(
${share(METRICS.spansDroppedTotal.name, METRICS.spansReceivedTotal.name)}
)
or
(
${share(METRICS.sidecarSpansDroppedTotal.name, METRICS.sidecarSpansReceivedTotal.name)}
)`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
