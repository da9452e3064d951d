// More than one request a second comes with a missing or wrong token: a sender was misconfigured, or somebody tries.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMAuthFailures: AlertDefinition = {
  name: 'LLMAuthFailures',
  family: 'self',
  summary: 'Requests come with wrong tokens.',
  description: '{{ $value | humanize }} requests a second are refused by {{ $labels.component }} for a missing or wrong token.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `sum by (component) (rate(${METRICS.authFailuresTotal.name}[5m])) > 1`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
