// KV cache is full and requests are thrown out of it. A full cache alone is the design point and no alert.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMKVPressure: AlertDefinition = {
  name: 'LLMKVPressure',
  family: 'cause',
  phase: 'engine.decode',
  summary: 'KV cache is full and requests are preempted.',
  description: 'A replica of {{ $labels.model }} preempts {{ $value | humanize }} requests a second with its KV cache above 90 %.',
  dashboard: 'prefill-and-kv-cache',
  variants: () => [
    {
      expr: `max by (cluster, model) (
rate(${METRICS.enginePreemptionsTotal.name}[5m]) > 0.1
and
${METRICS.engineKvUsageRatio.name} > 0.9
)`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
