// The error budget burns at a rate that spends it in days: paged after hours, confirmed by the last half hour.
import { rungAlert } from '../rung.ts'

export const LLMSLOSlowBurn = rungAlert('LLMSLOSlowBurn', {
  summary: 'The error budget is burning steadily.',
  description: '{{ $value | humanizePercentage }} of the requests of {{ $labels.model }} missed {{ $labels.slo }} in the last six hours.',
})
