// The store has less than a tenth of its space left: old data goes early, or inserts begin to fail.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMStoreDiskLow: AlertDefinition = {
  name: 'LLMStoreDiskLow',
  family: 'self',
  summary: 'The store is nearly full.',
  description: 'The store of {{ $labels.instance }} has {{ $value | humanizePercentage }} of its space left.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `min by (instance) (${METRICS.storeFreeRatio.name}) < 0.1`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
