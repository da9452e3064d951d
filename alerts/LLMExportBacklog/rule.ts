// A sidecar or the hub cannot get rid of its spans, or the store will be full within four hours.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

const free = METRICS.storeFreeRatio.name

export const LLMExportBacklog: AlertDefinition = {
  name: 'LLMExportBacklog',
  family: 'self',
  summary: 'Telemetry is piling up.',
  description: 'On {{ $labels.instance }} the oldest span waits for more than 15 minutes, or the store will be full within four hours.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `max by (instance) (${METRICS.sidecarExportOldestSeconds.name}) > 900
or
max by (instance) (${METRICS.storeLagSeconds.name}) > 900
or
min by (instance) (predict_linear(${free}[1h], 14400) < 0 and ${free} < 0.5)`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
