// The queue has not been empty for five minutes, is still growing, and first tokens are late because of it.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { errorBudget } from '../objectives.ts'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

export const LLMQueueGrowth: AlertDefinition = {
  name: 'LLMQueueGrowth',
  family: 'cause',
  phase: 'engine.queue',
  summary: 'The queue grows and first tokens are late.',
  description: 'At least {{ $value }} requests for {{ $labels.model }} have been waiting for five minutes and the queue is still growing.',
  dashboard: 'queue-and-capacity',
  variants: ({ sets }) => {
    const late = sets
      .filter(({ slo }) => slo === 'ttft')
      .map(({ objective, matchers }) => `${select(RECORDINGS.sliErrorRatio('5m'), { slo: 'ttft' }, matchers)} > ${errorBudget(objective)}`)
    if (late.length === 0) return []
    return [
      {
        expr: `min_over_time(${RECORDINGS.engineWaiting}[5m]) > 0
and
deriv(${RECORDINGS.engineWaiting}[10m]) > 0.01
and on (cluster, model)
(
${late.join('\nor\n')}
)
and on (cluster, model)
${select(RECORDINGS.sliErrorCount('5m'), { slo: 'ttft' })} >= 10`,
        for: '5m',
        severity: 'warning',
        channel: 'ticket',
      },
    ]
  },
}
