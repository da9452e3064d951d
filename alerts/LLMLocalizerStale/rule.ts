// The localizer has not finished a round for five minutes: pages come without a culprit.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMLocalizerStale: AlertDefinition = {
  name: 'LLMLocalizerStale',
  family: 'self',
  summary: 'The localizer does not finish.',
  description: 'The localizer last finished a round {{ $value | humanizeDuration }} ago.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      // The newest of all hubs: those that only ingest never run one.
      expr: `time() - max(${METRICS.localizerLastSuccess.name}) > 300`,
      for: '5m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
