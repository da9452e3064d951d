// The share of prompt tokens served from a cache is half of yesterday's: prefill will follow, then the queue.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { AlertDefinition } from '../rule.ts'

const usual = `avg_over_time(${RECORDINGS.cacheHitRatio}[1d])`

export const LLMPrefixCacheCollapse: AlertDefinition = {
  name: 'LLMPrefixCacheCollapse',
  family: 'cause',
  phase: 'engine.prefill',
  summary: 'The prefix cache hit ratio has collapsed.',
  description:
    '{{ $value | humanizePercentage }} of the prompt tokens of {{ $labels.model }} come from a cache, less than half of the mean of a day.',
  dashboard: 'prefill-and-kv-cache',
  variants: () => [
    {
      expr: `${RECORDINGS.cacheHitRatio} < 0.5 * ${usual}
and
${usual} > 0.1
and
avg_over_time(${RECORDINGS.requestRate}[15m]) * 900 >= 50`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
