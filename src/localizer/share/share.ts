// Step 9: how much of the regression is a slice's? share(S) = (F_A − F_A[S healed]) / (F_A − F_A[all healed]): the slice's rows get the
// baseline's value of equal rank at equal workload, and the target is computed again. What remains after healing everything is mix.
import type { Interval } from '@longpole/model/finding'
import { shapleyFalls } from '../phases/shapley.ts'
import type { Population } from '../population/population.ts'
import { createRandom, sampleRows } from '../sampling.ts'
import type { Case } from '../selection/case.ts'
import { rankMap } from './rank-map.ts'
import { summarize } from './summary.ts'

export interface Healing {
  /** Incident rows looked at, their values, and their values with everything healed. */
  rows: Int32Array
  value: Float64Array
  healed: Float64Array
  /** The target now, in the baseline, and in the incident with everything healed (mix only). */
  now: number
  before: number
  mix: number
}

/** Rows above this many are sampled. */
const LIMIT = 40_000
const RESAMPLES = 20

export function healEverything(given: Case): Healing {
  const { table, question, population } = given
  const rows = bounded(population, table.time, population.incident, LIMIT, question.seed)
  const base = bounded(population, table.time, population.baseline, LIMIT, question.seed + 1)
  const value = Float64Array.from(rows, (row) => population.value[row] as number)
  const before = Float64Array.from(base, (row) => population.value[row] as number)
  const healed = healRows(given, rows, base)
  return {
    rows,
    value,
    healed,
    now: summarize(question.measure, value),
    before: summarize(question.measure, before),
    mix: summarize(question.measure, healed),
  }
}

/** Values of `rows` as `base` rows of equal rank and workload would have them. */
export function healRows(given: Case, rows: Int32Array, base: Int32Array): Float64Array {
  const { population, conditioning } = given
  const ratio = (of: Int32Array) => Float64Array.from(of, (row) => (population.value[row] as number) / (conditioning.scale[row] as number))
  const strata = (of: Int32Array) => Uint16Array.from(of, (row) => conditioning.bin[row] as number)
  const mapped = rankMap(ratio(rows), strata(rows), ratio(base), strata(base))
  for (let index = 0; index < rows.length; index++) {
    mapped[index] = (mapped[index] as number) * (conditioning.scale[rows[index] as number] as number)
  }
  return mapped
}

/**
 * Of several slices, each one's part: Shapley over which of them are healed, because rows that lie in two are healed by either. `healedByRow`:
 * per slice its incident rows with their healed values.
 */
export function sharesExplained(given: Case, healing: Healing, healedByRow: readonly ReadonlyMap<number, number>[]): (Interval | null)[] {
  const columns = healedByRow.map((of) => Float64Array.from(healing.rows, (row) => of.get(row) ?? Number.NaN))
  const all = Uint32Array.from(healing.rows.keys())
  const values = sharesOf(given, healing, columns, all)
  const random = createRandom(given.question.seed)
  const size = Math.min(healing.rows.length, 4_000)
  const draws = Array.from({ length: RESAMPLES }, () => {
    const at = Uint32Array.from({ length: size }, () => Math.floor(random() * healing.rows.length))
    return sharesOf(given, healing, columns, at)
  })
  return values.map((value, index) => {
    if (Number.isNaN(value)) return null
    const drawn = draws.map((draw) => draw[index] as number).filter((share) => !Number.isNaN(share))
    drawn.sort((left, right) => left - right)
    return { value, low: Math.min(value, drawn[1] ?? value), high: Math.max(value, drawn.at(-2) ?? value) }
  })
}

/** NaN where the target is not worse than with everything healed. */
function sharesOf(given: Case, healing: Healing, columns: readonly Float64Array[], at: Uint32Array): number[] {
  const { measure } = given.question
  const targetOf = (valueAt: (index: number) => number) => finite(summarize(measure, Float64Array.from(at, valueAt)), healing)
  const healedBy = (set: number) => (index: number) => {
    const column = columns.find((of, player) => (set >> player) & 1 && !Number.isNaN(of[index] as number))
    return (column ?? healing.value)[index] as number
  }
  const targets = Array.from({ length: 1 << columns.length }, (_, set) => targetOf(healedBy(set)))
  const rise = (targets[0] as number) - targetOf((index) => healing.healed[index] as number)
  if (!(rise > 0)) return columns.map(() => Number.NaN)
  return shapleyFalls(columns.length, targets).map((fall) => Math.max(0, Math.min(1, fall / rise)))
}

/** A target that failed altogether counts as ten times what was ever seen. */
function finite(value: number, healing: Healing): number {
  if (Number.isFinite(value)) return value
  let max = 0
  for (const seen of healing.value) if (Number.isFinite(seen) && seen > max) max = seen
  return max * 10
}

/** A deterministic subset, ordered by time, so that row order does not matter. */
export function bounded(population: Population, time: Float64Array, rows: Int32Array, limit: number, seed: number): Int32Array {
  const { draw } = population
  return Int32Array.from(sampleRows(draw, rows, limit, seed)).sort(
    (left, right) => (time[left] as number) - (time[right] as number) || (draw[left] as number) - (draw[right] as number),
  )
}
