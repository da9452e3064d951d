// The error budget of the period is spent: information for the change policy, not a reason to wake anybody.
import { rungAlert } from '../rung.ts'

export const LLMErrorBudgetExhausted = rungAlert('LLMErrorBudgetExhausted', {
  summary: 'The error budget of the period is spent.',
  description: 'Of the error budget of {{ $labels.slo }} of {{ $labels.model }}, {{ $value | humanizePercentage }} is left.',
})
