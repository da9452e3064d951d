// How much work arrived: requests and tokens per second in the incident against the baseline, and how much that scatters by itself.
// Prompt and output tokens are exogenous; cached tokens are not, so work is counted in prompt tokens and the cache is looked at apart.
import type { Case } from '../selection/case.ts'
import { lengthColumns } from './moves.ts'

export interface Growth {
  /** `requests` or a length column. */
  quantity: string
  /** Per second. */
  before: number
  now: number
  /** (now − before) ÷ the scatter of baseline blocks as long as a quarter of the incident. */
  z: number
}

const BLOCKS = 48

/** Growth of every kind of work over the given incident and baseline rows. */
export function measureGrowth(given: Case, incident: Int32Array, baseline: Int32Array): Growth[] {
  return ['requests', ...lengthColumns(given), ...uncachedWork(given)].map((quantity) => growthOf(given, quantity, incident, baseline))
}

/** Tokens that really have to be computed, where the cache is known. */
const UNCACHED = 'uncached_tokens'

function uncachedWork(given: Case): string[] {
  const { numbers } = given.table
  return numbers.has('prompt_tokens') && numbers.has('cached_tokens') ? [UNCACHED] : []
}

function workColumn(given: Case, quantity: string): ((row: number) => number) | null {
  const { numbers } = given.table
  const cached = numbers.get('cached_tokens')
  const column = numbers.get(quantity === UNCACHED ? 'prompt_tokens' : quantity)
  if (quantity === 'requests' || column === undefined) return null
  if (quantity !== UNCACHED || cached === undefined) return (row) => column[row] as number
  return (row) => (column[row] as number) - ((cached[row] as number) || 0)
}

function growthOf(given: Case, quantity: string, incident: Int32Array, baseline: Int32Array): Growth {
  const { table } = given
  const column = workColumn(given, quantity)
  const work = (row: number): number => {
    const weight = table.weight === null ? 1 : (table.weight[row] as number)
    if (column === null) return weight
    const value = column(row)
    return value >= 0 ? value * weight : 0
  }
  const incidentSeconds = spanOf(table.time, given.population.incident)
  const blocks = baselineBlocks(given, baseline, work, incidentSeconds / 4)
  const now = sum(incident, work) / Math.max(incidentSeconds, 1e-9)
  const before = blocks.mean
  return { quantity, before, now, z: blocks.deviation > 0 ? (now - before) / blocks.deviation : 0 }
}

function baselineBlocks(given: Case, rows: Int32Array, work: (row: number) => number, seconds: number) {
  const { time } = given.table
  const all = given.population.baseline
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (let index = 0; index < all.length; index++) {
    const at = time[all[index] as number] as number
    if (at < from) from = at
    if (at > to) to = at
  }
  const width = Math.max(seconds, (to - from) / BLOCKS, 1e-9)
  const count = Math.max(1, Math.floor((to - from) / width))
  const length = (to - from) / count
  const sums = new Float64Array(count)
  const seen = new Float64Array(count)
  const block = (row: number) => Math.min(count - 1, Math.floor(((time[row] as number) - from) / Math.max(length, 1e-9)))
  for (let index = 0; index < all.length; index++) seen[block(all[index] as number)] = 1
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    sums[block(row)] = (sums[block(row)] as number) + work(row)
  }
  // Blocks without any row lie between the baseline's windows.
  const factor = given.population.baselineFactor / Math.max(length, 1e-9)
  const rates = Array.from(sums, (value) => value * factor).filter((_, index) => seen[index] === 1)
  const mean = rates.reduce((total, rate) => total + rate, 0) / Math.max(rates.length, 1)
  const variance = rates.reduce((total, rate) => total + (rate - mean) ** 2, 0) / Math.max(rates.length - 1, 1)
  return { mean, deviation: Math.max(Math.sqrt(variance), 0.02 * mean) }
}

function spanOf(time: Float64Array, rows: Int32Array): number {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (let index = 0; index < rows.length; index++) {
    const at = time[rows[index] as number] as number
    if (at < from) from = at
    if (at > to) to = at
  }
  return to > from ? to - from : 0
}

function sum(rows: Int32Array, work: (row: number) => number): number {
  let total = 0
  for (let index = 0; index < rows.length; index++) total += work(rows[index] as number)
  return total
}
