// A label has more values than its cap: the rest is counted under one value, and slices behind it cannot be told apart.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

const overflow = METRICS.seriesOverflowTotal.name

export const LLMCardinalityOverflow: AlertDefinition = {
  name: 'LLMCardinalityOverflow',
  family: 'self',
  summary: 'A label has more values than its cap.',
  description: 'Values of {{ $labels.label }} of {{ $labels.metric }} are counted under one value since its cap is reached.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `sum by (metric, label) (increase(${overflow}[30m])) > 0
or
sum by (metric, label) (${overflow} > 0 unless ${overflow} offset 30m)`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
      keepFiringFor: '15m',
    },
  ],
}
