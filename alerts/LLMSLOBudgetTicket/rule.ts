// The error budget will not last its period: nobody is woken, somebody looks at it this week.
import { rungAlert } from '../rung.ts'

export const LLMSLOBudgetTicket = rungAlert('LLMSLOBudgetTicket', {
  summary: 'The error budget will not last its period.',
  description: '{{ $value | humanizePercentage }} of the requests of {{ $labels.model }} missed {{ $labels.slo }} over one to three days.',
})
