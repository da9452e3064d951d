// Half of all requests are bad over five minutes: a total or near-total outage, seen in minutes at every objective.
import { rungAlert } from '../rung.ts'

export const LLMSLOCliff = rungAlert('LLMSLOCliff', {
  summary: 'At least half of all requests miss their objective.',
  description:
    '{{ $value | humanizePercentage }} of the requests of {{ $labels.model }} missed {{ $labels.slo }} in the last five minutes. At this rate the error budget is gone within hours.',
})
