// Step 2b: one additive score for every target. A row's events are counted at a few tail levels α: e_i(α) = 1{P_B(Y > y_i | x_i) ≤ α}.
// For a deadline or a ratio there is one level: the row is bad. For a sum the row's value itself is the mass.
import type { Population } from '../population/population.ts'
import type { Measure } from '../question.ts'
import type { Table } from '../table.ts'
import type { Conditioning } from './conditioning.ts'

export const TAIL_LEVELS: readonly number[] = [0.3, 0.1, 0.03, 0.01]

/** A row that says nothing at any level: its value is unknown or censored below the thresholds. */
export const UNUSABLE = 255

export interface Levels {
  /** Nominal baseline probability of each level, widest first; a single NaN for deadlines and ratios. */
  alphas: readonly number[]
  /** Per table row: how many levels it exceeds, from the widest; UNUSABLE where unknown. */
  level: Uint8Array
}

export function scoreLevels(table: Table, measure: Measure, population: Population, conditioning: Conditioning): Levels {
  if (measure.kind === 'quantile') return tailLevels(table, population, conditioning)
  const level = new Uint8Array(table.rows).fill(UNUSABLE)
  const threshold = measure.kind === 'deadline' ? measure.seconds : measure.kind === 'sum' ? Number.POSITIVE_INFINITY : 0.5
  for (const rows of [population.baseline, population.incident]) {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as number
      const bad = (population.value[row] as number) > threshold
      if (bad) level[row] = 1
      else if (population.censored[row] === 0) level[row] = 0
    }
  }
  return { alphas: [Number.NaN], level }
}

function tailLevels(table: Table, population: Population, conditioning: Conditioning): Levels {
  const { scale, bin, bins } = conditioning
  const { value, censored } = population
  const ratios = baselineRatios(population, conditioning)
  const alphas = TAIL_LEVELS.filter((alpha) => alpha * population.baseline.length >= 4)
  const width = alphas.length
  const thresholds = new Float64Array(bins * width).fill(Number.POSITIVE_INFINITY)
  for (let index = 0; index < bins; index++) {
    const sorted = conditioning.marginal.get(index) ?? (ratios[index] as Float64Array)
    if (sorted.length === 0) continue
    for (let k = 0; k < width; k++) {
      const at = Math.floor((1 - (alphas[k] as number)) * sorted.length)
      thresholds[index * width + k] = sorted[Math.min(at, sorted.length - 1)] as number
    }
  }
  const level = new Uint8Array(table.rows).fill(UNUSABLE)
  for (const rows of [population.baseline, population.incident]) {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as number
      const ratio = (value[row] as number) / (scale[row] as number)
      const first = (bin[row] as number) * width
      let reached = 0
      while (reached < width && ratio > (thresholds[first + reached] as number)) reached++
      if (censored[row] === 0 || reached === width) level[row] = reached
    }
  }
  return { alphas, level }
}

/** Sorted value ÷ scale of the baseline's rows, bin by bin; failed rows are +Infinity and sort last. Censored rows are left out. */
export function baselineRatios(population: Population, conditioning: Conditioning): Float64Array[] {
  const { scale, bin, bins } = conditioning
  const counts = new Int32Array(bins)
  const { baseline, value, censored } = population
  for (let index = 0; index < baseline.length; index++) {
    const row = baseline[index] as number
    if (censored[row] === 0) counts[bin[row] as number] = (counts[bin[row] as number] as number) + 1
  }
  const lists = Array.from(counts, (count) => new Float64Array(count))
  const filled = new Int32Array(bins)
  for (let index = 0; index < baseline.length; index++) {
    const row = baseline[index] as number
    if (censored[row] !== 0) continue
    const of = bin[row] as number
    const list = lists[of] as Float64Array
    list[filled[of] as number] = (value[row] as number) / (scale[row] as number)
    filled[of] = (filled[of] as number) + 1
  }
  for (const list of lists) list.sort()
  return lists
}
