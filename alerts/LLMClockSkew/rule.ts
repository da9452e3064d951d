// A replica's clock is a tenth of a second off: durations stay right, the order of events on different hosts does not.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMClockSkew: AlertDefinition = {
  name: 'LLMClockSkew',
  family: 'self',
  summary: 'A clock is off.',
  description: 'The clock of {{ $labels.replica }} is {{ $value | humanizeDuration }} off its peers.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `max by (replica) (abs(${METRICS.clockOffsetSeconds.name})) > 0.1`,
      for: '15m',
      severity: 'info',
      channel: 'none',
    },
  ],
}
