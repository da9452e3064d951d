// Step 7: how much slower a set of rows became, on scales that can be compared between slices: relative (after the workload is taken
// out) and in the target's own unit. Robust: the mean of quantiles 0.1 to 0.95, so neither a hang nor a single outlier decides.
import type { Conditioning } from '../conditioning/conditioning.ts'
import type { Population } from '../population/population.ts'
import type { Measure } from '../question.ts'
import { sampleRows } from '../sampling.ts'

export interface Effect {
  /** Incident ÷ baseline − 1 at equal workload; for deadlines and ratios the difference of bad shares. */
  relative: number
  /** Mean extra of one row in the target's unit. */
  absolute: number
  rows: { incident: number; baseline: number }
}

const STEPS = 18
/** A failed or hung row counts as this many times its scale, so that means stay finite. */
const WORST_RATIO = 100

export function measureEffect(
  measure: Measure,
  population: Population,
  conditioning: Conditioning,
  incident: Int32Array,
  baseline: Int32Array,
): Effect {
  const rows = { incident: incident.length, baseline: baseline.length }
  if (incident.length === 0 || baseline.length === 0) return { relative: 0, absolute: 0, rows }
  if (measure.kind === 'deadline' || measure.kind === 'ratio') {
    const threshold = measure.kind === 'deadline' ? measure.seconds : 0.5
    const difference = badShare(population, incident, threshold) - badShare(population, baseline, threshold)
    return { relative: difference, absolute: difference, rows }
  }
  if (measure.kind === 'sum') return sumEffect(population, incident, baseline)
  const now = sortedRatios(population, conditioning, incident)
  const before = sortedRatios(population, conditioning, baseline)
  let above = 0
  let below = 0
  for (let step = 0; step < STEPS; step++) {
    const q = 0.1 + (0.85 * step) / (STEPS - 1)
    above += quantileOf(now, q)
    below += quantileOf(before, q)
  }
  const meanScale = meanOf(incident, conditioning.scale)
  return { relative: below > 0 ? above / below - 1 : 0, absolute: ((above - below) / STEPS) * meanScale, rows }
}

/** Change of the mean value, up or down. */
function sumEffect(population: Population, incident: Int32Array, baseline: Int32Array): Effect {
  const mean = (rows: Int32Array) => rows.reduce((sum, row) => sum + (population.value[row] as number), 0) / rows.length
  const before = mean(baseline)
  const absolute = Math.abs(mean(incident) - before)
  const rows = { incident: incident.length, baseline: baseline.length }
  return { relative: before > 0 ? absolute / before : 0, absolute, rows }
}

export function badShare(population: Population, rows: Int32Array, threshold: number): number {
  let bad = 0
  let known = 0
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    const value = population.value[row] as number
    if (value > threshold) bad++
    if (value > threshold || population.censored[row] === 0) known++
  }
  return known === 0 ? 0 : bad / known
}

/** Beyond so many rows a sample stands for all. */
const SORTED_ROWS = 60_000

export function sortedRatios(population: Population, conditioning: Conditioning, all: Int32Array): Float64Array {
  const rows = sampleRows(population.draw, all, SORTED_ROWS, 3)
  const ratios = new Float64Array(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    ratios[index] = Math.min((population.value[row] as number) / (conditioning.scale[row] as number), WORST_RATIO)
  }
  return ratios.sort()
}

/** Linear interpolation between order statistics (type 7). */
export function quantileOf(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return (sorted[low] as number) + ((sorted[high] as number) - (sorted[low] as number)) * (at - low)
}

function meanOf(rows: Int32Array, column: Float32Array): number {
  let sum = 0
  for (let index = 0; index < rows.length; index++) sum += column[rows[index] as number] as number
  return rows.length === 0 ? 0 : sum / rows.length
}
