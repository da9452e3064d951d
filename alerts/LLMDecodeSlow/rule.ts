// Output tokens take twice as long as usual although the batches are no larger than usual.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { AlertDefinition } from '../rule.ts'

export const LLMDecodeSlow: AlertDefinition = {
  name: 'LLMDecodeSlow',
  family: 'cause',
  phase: 'engine.decode',
  summary: 'Output tokens take twice as long as usual.',
  description:
    'The 95th percentile of time per output token of {{ $labels.model }} is {{ $value | humanizeDuration }}, twice the median of seven days at usual concurrency.',
  dashboard: 'decode',
  variants: () => [
    {
      expr: `${RECORDINGS.tpotQuantile('95')} > 2 * ${RECORDINGS.tpotMedianSeconds}
unless on (cluster, model)
${RECORDINGS.engineRunningMean} > 1.25 * ${RECORDINGS.engineRunningMeanUsual}
and on (cluster, model)
avg_over_time(${RECORDINGS.requestRate}[15m]) * 900 >= 50`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
