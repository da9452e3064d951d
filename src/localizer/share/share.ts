// Step 9: how much of the regression is a slice's? share(S) = (F_A − F_A[S healed]) / (F_A − F_A[all healed]): the slice's rows get the
// baseline's value of equal rank at equal workload, and the target is computed again. What remains after healing everything is mix.
import type { Interval } from '@longpole/model/finding'
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

/** `healedInside`: the incident rows in `healing.rows` that belong to the slice, with their healed values by row. */
export function shareExplained(given: Case, healing: Healing, healedByRow: ReadonlyMap<number, number>): Interval | null {
  const { measure } = given.question
  const withHealed = Float64Array.from(healing.rows, (row, index) => healedByRow.get(row) ?? (healing.value[index] as number))
  const ratioOf = (value: Float64Array, partly: Float64Array, wholly: Float64Array): number => {
    const now = finite(summarize(measure, value), healing)
    const mix = finite(summarize(measure, wholly), healing)
    if (!(now > mix)) return Number.NaN
    return clampShare((now - finite(summarize(measure, partly), healing)) / (now - mix))
  }
  const value = ratioOf(healing.value, withHealed, healing.healed)
  if (Number.isNaN(value)) return null
  const random = createRandom(given.question.seed)
  const draws: number[] = []
  const size = Math.min(healing.rows.length, 4_000)
  for (let draw = 0; draw < RESAMPLES; draw++) {
    const at = Uint32Array.from({ length: size }, () => Math.floor(random() * healing.rows.length))
    const share = ratioOf(pickAt(healing.value, at), pickAt(withHealed, at), pickAt(healing.healed, at))
    if (!Number.isNaN(share)) draws.push(share)
  }
  draws.sort((left, right) => left - right)
  return { value, low: Math.min(value, draws[1] ?? value), high: Math.max(value, draws.at(-2) ?? value) }
}

/** A target that failed altogether counts as ten times what was ever seen. */
function finite(value: number, healing: Healing): number {
  if (Number.isFinite(value)) return value
  let max = 0
  for (const seen of healing.value) if (Number.isFinite(seen) && seen > max) max = seen
  return max * 10
}

function clampShare(share: number): number {
  return Math.max(0, Math.min(1, share))
}

function pickAt(values: Float64Array, at: Uint32Array): Float64Array {
  return Float64Array.from(at, (index) => values[index] as number)
}

/** A deterministic subset, ordered by time, so that row order does not matter. */
export function bounded(population: Population, time: Float64Array, rows: Int32Array, limit: number, seed: number): Int32Array {
  const { draw } = population
  return Int32Array.from(sampleRows(draw, rows, limit, seed)).sort(
    (left, right) => (time[left] as number) - (time[right] as number) || (draw[left] as number) - (draw[right] as number),
  )
}
