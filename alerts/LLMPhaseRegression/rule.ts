// One phase takes twice the share of all time that it took yesterday at this hour, and not because the others shrank.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { AlertDefinition } from '../rule.ts'

const { phaseSecondsRate: seconds, phaseCountRate: count, phaseMeanSeconds: mean } = RECORDINGS
const share = (offset: string) =>
  `(${seconds}${offset} / on (cluster, model) group_left () (sum by (cluster, model) (${seconds}${offset}) > 0))`

export const LLMPhaseRegression: AlertDefinition = {
  name: 'LLMPhaseRegression',
  family: 'cause',
  summary: 'A phase takes twice its usual share of the time.',
  description:
    'Phase {{ $labels.phase }} of {{ $labels.model }} takes {{ $value | humanizePercentage }} of all request time, more than twice its share a day ago.',
  dashboard: 'where-the-time-goes',
  variants: () => [
    {
      expr: `${share('')} > 2 * ${share(' offset 1d')}
and
(${seconds} - ${count} * (${mean} offset 1d)) > 0.05
and
avg_over_time(${count}[15m]) * 900 >= 50`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
