// Step 2b: one additive score for every target. A row's events are counted at a few tail levels α: e_i(α) = 1{P_B(Y > y_i | x_i) ≤ α}.
// For a deadline or a ratio there is one level: the row is bad. For a sum the row's value itself is the mass.
import type { BaselinePopulation, Population } from '../population/population.ts'
import type { Measure } from '../question.ts'
import type { Conditioning, WorkloadModel } from './conditioning.ts'

export const TAIL_LEVELS: readonly number[] = [0.5, 0.3, 0.1, 0.03, 0.01]

/** A row that says nothing at any level: its value is unknown or censored below the thresholds. */
export const UNUSABLE = 255

export interface Levels {
  /** Nominal baseline probability of each level, widest first; a single NaN for deadlines and ratios. */
  alphas: readonly number[]
  /** Per table row: how many levels it exceeds, from the widest; UNUSABLE where unknown. */
  level: Uint8Array
}

/** What the baseline says of levels. */
export interface Thresholds extends Levels {
  /** Per bin and level the value ÷ scale that a row must exceed; for deadlines and ratios the value itself, once. */
  at: Float64Array
  byBin: boolean
}

export function fitThresholds(measure: Measure, population: BaselinePopulation, model: WorkloadModel): Thresholds {
  const level = new Uint8Array(population.draw.length).fill(UNUSABLE)
  const thresholds = measure.kind === 'quantile' ? tailThresholds(population, model, level) : fixedThreshold(measure, level)
  scoreRows(thresholds, population.values, model, population.rows)
  return thresholds
}

export function scoreLevels(thresholds: Thresholds, population: Population, conditioning: Conditioning): Levels {
  scoreRows(thresholds, population, conditioning, population.incident)
  return thresholds
}

function fixedThreshold(measure: Measure, level: Uint8Array): Thresholds {
  const at = measure.kind === 'deadline' ? measure.seconds : measure.kind === 'sum' ? Number.POSITIVE_INFINITY : 0.5
  return { alphas: [Number.NaN], level, at: Float64Array.of(at), byBin: false }
}

function tailThresholds(population: BaselinePopulation, model: WorkloadModel, level: Uint8Array): Thresholds {
  const alphas = TAIL_LEVELS.filter((alpha) => alpha * population.rows.length >= 4)
  const width = alphas.length
  const at = new Float64Array(model.bins * width).fill(Number.POSITIVE_INFINITY)
  const set = (bin: number, sorted: Float64Array): void => {
    if (sorted.length === 0) return
    for (let k = 0; k < width; k++) {
      const rank = Math.floor((1 - (alphas[k] as number)) * sorted.length)
      at[bin * width + k] = sorted[Math.min(rank, sorted.length - 1)] as number
    }
  }
  baselineRatios(population, model).forEach((sorted, bin) => {
    set(bin, sorted)
  })
  const { value, censored } = population.values
  for (const { unknownBin, baseline, median } of model.groups) {
    if (unknownBin === null) continue
    const known = baseline.filter((row) => censored[row] === 0)
    set(unknownBin, Float64Array.from(known, (row) => (value[row] as number) / median).sort())
  }
  return { alphas, level, at, byBin: true }
}

function scoreRows(
  { alphas, at, byBin, level }: Thresholds,
  { value, censored }: { value: Float64Array; censored: Uint8Array },
  { scale, bin }: Conditioning,
  rows: Int32Array,
): void {
  const width = alphas.length
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    const ratio = byBin ? (value[row] as number) / (scale[row] as number) : (value[row] as number)
    const first = byBin ? (bin[row] as number) * width : 0
    let reached = 0
    while (reached < width && ratio > (at[first + reached] as number)) reached++
    level[row] = censored[row] === 0 || reached === width ? reached : UNUSABLE
  }
}

/** Sorted value ÷ scale of the baseline's rows, bin by bin; failed rows are +Infinity and sort last. Censored rows are left out. */
function baselineRatios(population: BaselinePopulation, { scale, bin, bins }: WorkloadModel): Float64Array[] {
  const counts = new Int32Array(bins)
  const { rows } = population
  const { value, censored } = population.values
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    if (censored[row] === 0) counts[bin[row] as number] = (counts[bin[row] as number] as number) + 1
  }
  const lists = Array.from(counts, (count) => new Float64Array(count))
  const filled = new Int32Array(bins)
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    if (censored[row] !== 0) continue
    const of = bin[row] as number
    const list = lists[of] as Float64Array
    list[filled[of] as number] = (value[row] as number) / (scale[row] as number)
    filled[of] = (filled[of] as number) + 1
  }
  for (const list of lists) list.sort()
  return lists
}
