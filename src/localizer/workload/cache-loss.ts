// Who stopped hitting the prefix cache? A tenant whose prompts are computed anew slows everybody on the same engines, itself hardly more
// than the others: the target cannot name it, the cached tokens can. Looked at only where everybody is slower and no slice stands out.
import { actionability } from '../roles.ts'
import type { Case } from '../selection/case.ts'
import type { DimensionColumn } from '../table.ts'

export interface CacheLoss {
  /** Index of the dimension, and the value's id. */
  dimension: number
  value: number
  /** Share of the value's prompt tokens that came from the cache. */
  from: number
  to: number
}

/** The fleet's own hit ratio fell by so much, and the value's by so much. */
const MIN_FLEET_FALL = 0.08
const MIN_FALL = 0.3
/** The value lost so much of what the fleet lost, and the others kept their hit ratio. */
const MIN_SHARE = 0.7
const MAX_REST_FALL = 0.12
const MIN_ROWS = 12

interface Tokens {
  prompt: Float64Array
  cached: Float64Array
  rows: Float64Array
}

export function findCacheLoss(given: Case): CacheLoss | null {
  const prompt = given.table.numbers.get('prompt_tokens')
  const cached = given.table.numbers.get('cached_tokens')
  if (prompt === undefined || cached === undefined) return null
  const found = given.dimensions.flatMap((dimension, index) => {
    const sum = (rows: Int32Array) => sumTokens(dimension, rows, prompt, cached)
    return lossesOf(sum(given.population.incident), sum(given.population.baseline)).map((loss) => ({ ...loss, dimension: index }))
  })
  const rank = ({ dimension }: CacheLoss) => actionability(given.dimensions[dimension]?.name ?? '')
  // The smallest hit ratio that is left: whoever holds the loss and nothing else.
  found.sort((left, right) => left.to / left.from - right.to / right.from || rank(left) - rank(right))
  return found[0] ?? null
}

function sumTokens(dimension: DimensionColumn, rows: Int32Array, prompt: Float64Array, cached: Float64Array): Tokens {
  const size = dimension.values.length + 1
  const sums: Tokens = { prompt: new Float64Array(size), cached: new Float64Array(size), rows: new Float64Array(size) }
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number
    const tokens = prompt[row] as number
    const hit = cached[row] as number
    if (!(tokens >= 0) || !(hit >= 0)) continue
    const id = dimension.ids[row] as number
    sums.prompt[id] = (sums.prompt[id] as number) + tokens
    sums.cached[id] = (sums.cached[id] as number) + hit
    sums.rows[id] = (sums.rows[id] as number) + 1
  }
  return sums
}

function lossesOf(now: Tokens, before: Tokens): Omit<CacheLoss, 'dimension'>[] {
  const ratio = (tokens: Tokens, id: number) => (tokens.cached[id] as number) / Math.max(tokens.prompt[id] as number, 1)
  const lost = Float64Array.from(now.prompt, (tokens, id) => tokens * ratio(before, id) - (now.cached[id] as number))
  const total = sum(lost)
  const expected = sum(now.cached) + total
  if (!(expected > 0) || total < MIN_FLEET_FALL * expected) return []
  const losses: Omit<CacheLoss, 'dimension'>[] = []
  for (let id = 0; id < lost.length - 1; id++) {
    if ((now.rows[id] as number) < MIN_ROWS || (before.rows[id] as number) < MIN_ROWS) continue
    const [from, to] = [ratio(before, id), ratio(now, id)]
    const ownExpected = (now.prompt[id] as number) * from
    const restFall = (total - (lost[id] as number)) / Math.max(expected - ownExpected, 1)
    if (to > (1 - MIN_FALL) * from || (lost[id] as number) < MIN_SHARE * total || restFall > MAX_REST_FALL) continue
    losses.push({ value: id, from, to })
  }
  return losses
}

function sum(values: Float64Array): number {
  let total = 0
  for (let at = 0; at < values.length; at++) total += values[at] as number
  return total
}
