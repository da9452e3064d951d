// Computing a thousand uncached prompt tokens takes twice as long as it usually does.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

export const LLMPrefillSlow: AlertDefinition = {
  name: 'LLMPrefillSlow',
  family: 'cause',
  phase: 'engine.prefill',
  summary: 'Prefill takes twice as long per token as usual.',
  description:
    'Prefill of {{ $labels.model }} takes {{ $value | humanizeDuration }} per thousand uncached prompt tokens, twice the median of seven days.',
  dashboard: 'prefill-and-kv-cache',
  variants: () => [
    {
      expr: `${RECORDINGS.prefillSecondsPerUncachedKilotoken} > 2 * ${RECORDINGS.prefillSecondsPerUncachedKilotokenMedian}
and on (cluster, model)
avg_over_time(${select(RECORDINGS.phaseCountRate, { phase: 'engine.prefill' })}[15m]) * 900 >= 100`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
