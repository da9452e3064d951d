// Our own sidecar adds more than ten milliseconds: we are part of the problem.
import { METRICS } from '@longpole/model/conventions/metrics'
import { histogramQuantile, series } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

export const LLMSidecarOverhead: AlertDefinition = {
  name: 'LLMSidecarOverhead',
  family: 'self',
  summary: 'A sidecar adds noticeable delay.',
  description: 'Sidecar {{ $labels.instance }} adds {{ $value | humanizeDuration }} at the 99th percentile.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `${histogramQuantile(0.99, METRICS.sidecarOverheadSeconds, 'instance', '10m')} > 0.01
and
sum by (instance) (increase(${series(METRICS.sidecarOverheadSeconds, 'count')}[10m])) >= 500`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
