// The number that the question is about, over a list of values: a quantile, or the share above a deadline.
import type { Measure } from '../question.ts'

/** Values may be +Infinity (failed). NaN is not allowed. */
export function summarize(measure: Measure, values: Float64Array): number {
  if (values.length === 0) return Number.NaN
  if (measure.kind === 'quantile') {
    const sorted = Float64Array.from(values).sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(measure.quantile * sorted.length))] as number
  }
  if (measure.kind === 'sum') return values.reduce((sum, value) => sum + value, 0)
  const threshold = measure.kind === 'deadline' ? measure.seconds : 0.5
  let bad = 0
  for (let index = 0; index < values.length; index++) if ((values[index] as number) > threshold) bad++
  return bad / values.length
}
