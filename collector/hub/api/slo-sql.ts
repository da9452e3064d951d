// `judge` of @longpole/model/slo as SQL over stored records, so that windows of millions of requests are judged by the store. A test
// holds both against each other.
import { PROMPT_CLASSES } from '@longpole/model/request-record'
import { type Objective, type SloName, thresholdOf } from '@longpole/model/slo'

const VALUE: Partial<Record<SloName, string>> = { ttft: 'ttft', tpot: 'tpot', stall: 'itl_max', e2e: 'e2e' }

/** An expression that is 1 for bad, 0 for good and NULL for neither. Objectives come from the configuration, numbers only. */
export function judgementExpression(objective: Objective): string {
  const always = "outcome IN ('error', 'timeout'), 1"
  if (objective.slo === 'availability') return `multiIf(${always}, outcome = 'rejected', 1, outcome = 'ok', 0, NULL)`
  const value = VALUE[objective.slo]
  const limit = limitExpression(objective)
  if (value === undefined || limit === null) return `multiIf(${always}, NULL)`
  const known = `${value} IS NOT NULL AND ${value} > ${limit}, 1, ${value} IS NOT NULL AND outcome = 'ok', 0`
  const hasDeadline = objective.slo === 'ttft' || objective.slo === 'e2e'
  const passed = hasDeadline ? `, ${value} IS NULL AND outcome != 'ok' AND e2e > ${limit}, 1` : ''
  return `multiIf(${always}, outcome = 'rejected', NULL, ${known}${passed}, NULL)`
}

/**
 * Goodput over the judgements of the other objectives: bad where any is bad, good where none is and at least one is good. `parts` are
 * expressions, or the names of columns that hold them already.
 */
export function goodputExpression(parts: readonly string[]): string {
  if (parts.length === 0) return 'NULL'
  const isBad = parts.map((part) => `ifNull(${part} = 1, 0)`).join(' OR ')
  const isGood = parts.map((part) => `ifNull(${part} = 0, 0)`).join(' OR ')
  return `multiIf(${isBad}, 1, ${isGood}, 0, NULL)`
}

/** A condition for requests that are good or bad by one objective, or by all of several. */
export function judgementCondition(objectives: readonly Objective[], result: 'good' | 'bad'): string {
  const parts = objectives.filter((objective) => objective.slo !== 'goodput').map(judgementExpression)
  const expression = parts.length === 1 ? parts[0] : goodputExpression(parts)
  return `(${expression}) = ${result === 'bad' ? 1 : 0}`
}

function limitExpression(objective: Objective): string | null {
  const fallback = thresholdOf(objective, null)
  if (fallback === null) return null
  const cases = PROMPT_CLASSES.map(({ id }) => `prompt_class = '${id}', ${thresholdOf(objective, id)}`)
  return `multiIf(${cases.join(', ')}, ${fallback})`
}
