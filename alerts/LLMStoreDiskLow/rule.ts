// The store has less than a tenth of its space left and loses more. A store that has reached its limit and drops its oldest hours to
// stay there is at work, not in trouble.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

const free = METRICS.storeFreeRatio.name

export const LLMStoreDiskLow: AlertDefinition = {
  name: 'LLMStoreDiskLow',
  family: 'self',
  summary: 'The store is nearly full.',
  description: 'The store of {{ $labels.instance }} has {{ $value | humanizePercentage }} of its space left and loses more.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `min by (instance) (${free} < 0.1 and delta(${free}[6h]) < -0.02)`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
