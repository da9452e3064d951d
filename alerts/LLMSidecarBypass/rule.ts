// A sidecar passes bytes without observing them: traffic is fine, telemetry of that replica is off.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMSidecarBypass: AlertDefinition = {
  name: 'LLMSidecarBypass',
  family: 'self',
  summary: 'A sidecar passes traffic unobserved.',
  description: 'Sidecar {{ $labels.instance }} passes bytes without observing them.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `max by (instance) (${METRICS.sidecarBypass.name}) == 1`,
      for: '2m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
