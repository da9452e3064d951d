// Waiting in a queue alone takes half of what the TTFT objective allows.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { PhaseId } from '@longpole/model/phase'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const QUEUES: readonly PhaseId[] = ['engine.queue', 'gateway.queue']
const phase = `=~${QUEUES.join('|').replaceAll('.', '\\.')}`

export const LLMQueueTimeBudget: AlertDefinition = {
  name: 'LLMQueueTimeBudget',
  family: 'cause',
  summary: 'Queueing takes half of the TTFT objective.',
  description:
    'The 95th percentile of {{ $labels.phase }} of {{ $labels.model }} is {{ $value | humanizeDuration }}, more than half of what the TTFT objective allows.',
  dashboard: 'queue-and-capacity',
  variants: ({ sets }) => {
    const long = sets
      .filter(({ slo, thresholdSeconds }) => slo === 'ttft' && thresholdSeconds !== undefined)
      .map(({ matchers, thresholdSeconds }) => {
        // A queue knows no prompt lengths, so the tightest limit counts.
        const limit = 0.5 * Math.min(...Object.values(thresholdSeconds ?? {}))
        return `${select(RECORDINGS.phaseP95Seconds, { phase }, matchers)} > ${limit}`
      })
    if (long.length === 0) return []
    return [
      {
        expr: `(
${long.join('\nor\n')}
)
and
${select(RECORDINGS.phaseCountRate, { phase })} * 300 >= 100`,
        for: '5m',
        severity: 'warning',
        channel: 'ticket',
      },
    ]
  },
}
