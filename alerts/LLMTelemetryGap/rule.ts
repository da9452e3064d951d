// Sidecars that were heard within the hour are silent, and nobody announced a scale-down.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const seen = METRICS.sidecarSeen.name

export const LLMTelemetryGap: AlertDefinition = {
  name: 'LLMTelemetryGap',
  family: 'self',
  summary: 'Sidecars have fallen silent.',
  description: '{{ $value }} sidecars of cluster {{ $labels.cluster }} were heard within the hour and have been silent for five minutes.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `count by (cluster) (time() - max by (cluster, replica) (max_over_time(${seen}[1h])) > 300) > 0
unless on (cluster)
time() - max by (cluster) (${select(METRICS.changeTimestamp, { kind: 'scale', source: '!=derived' })}) < 5400`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
