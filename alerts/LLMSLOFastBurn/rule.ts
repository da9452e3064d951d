// The error budget burns so fast that it is gone in two days: paged within the hour, confirmed by the last five minutes.
import { rungAlert } from '../rung.ts'

export const LLMSLOFastBurn = rungAlert('LLMSLOFastBurn', {
  summary: 'The error budget is burning fast.',
  description: '{{ $value | humanizePercentage }} of the requests of {{ $labels.model }} missed {{ $labels.slo }} in the last hour.',
})
