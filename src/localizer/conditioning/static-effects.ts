// Step 2a: static differences of the target between values of dimensions (a slow accelerator, a far region) are part of a row's scale,
// so that "unusual" means unusual for such a row. Backfitting of mean log-ratios per value (Breiman & Friedman 1985), each value
// shrunk towards 0 by a pseudo-count, on a sample of the baseline.
import type { BaselinePopulation } from '../population/population.ts'
import { sampleRows } from '../sampling.ts'
import type { DimensionColumn } from '../table.ts'

const ROUNDS = 3
const PSEUDO_COUNT = 10
const FIT_ROWS = 40_000
/** Log-ratios are clipped: a hang or a failure is no static difference. */
const CLIP = 2

/** Factor of each value of each dimension; the missing id is last. */
export interface StaticEffects {
  dimensions: readonly DimensionColumn[]
  factors: Float64Array[]
}

/** Null where the baseline is too thin. `scale` is that of the baseline's rows so far. */
export function fitStaticEffects(
  population: BaselinePopulation,
  dimensions: readonly DimensionColumn[],
  scale: Float32Array,
  seed: number,
): StaticEffects | null {
  const { value, censored } = population.values
  const fitted = sampleRows(population.draw, population.rows, FIT_ROWS, seed + 11).filter((row) => {
    const seconds = value[row] as number
    return censored[row] === 0 && seconds > 0 && Number.isFinite(seconds)
  })
  if (fitted.length < 50) return null
  const residual = Float64Array.from(fitted, (row) => clip(Math.log((value[row] as number) / (scale[row] as number))))
  centre(residual)
  const factors = dimensions.map((dimension) => new Float64Array(dimension.values.length + 1))
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < dimensions.length; index++) {
      backfit((dimensions[index] as DimensionColumn).ids, fitted, residual, factors[index] as Float64Array)
    }
  }
  for (const factor of factors) for (let id = 0; id < factor.length; id++) factor[id] = Math.exp(factor[id] as number)
  return { dimensions, factors }
}

/** Multiplies `scale` (per table row) of these rows by their values' factors. */
export function multiplyEffects(
  { dimensions, factors }: StaticEffects,
  scale: Float32Array,
  rows: Int32Array,
  isScaled: (row: number) => boolean,
): void {
  const product = new Float64Array(rows.length).fill(1)
  for (let index = 0; index < dimensions.length; index++) {
    const { ids } = dimensions[index] as DimensionColumn
    const factor = factors[index] as Float64Array
    for (let at = 0; at < rows.length; at++) product[at] = (product[at] as number) * (factor[ids[rows[at] as number] as number] as number)
  }
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number
    if (isScaled(row)) scale[row] = (scale[row] as number) * (product[at] as number)
  }
}

/** Moves what is left of each value's mean from the residuals into its effect. */
function backfit(ids: Uint16Array | Uint32Array, rows: Int32Array, residual: Float64Array, effect: Float64Array): void {
  const sum = new Float64Array(effect.length)
  const count = new Float64Array(effect.length)
  for (let at = 0; at < rows.length; at++) {
    const id = ids[rows[at] as number] as number
    sum[id] = (sum[id] as number) + (residual[at] as number)
    count[id] = (count[id] as number) + 1
  }
  for (let id = 0; id < effect.length; id++) {
    sum[id] = (sum[id] as number) / ((count[id] as number) + PSEUDO_COUNT)
    effect[id] = (effect[id] as number) + (sum[id] as number)
  }
  for (let at = 0; at < rows.length; at++) residual[at] = (residual[at] as number) - (sum[ids[rows[at] as number] as number] as number)
}

function centre(values: Float64Array): void {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at] as number
  const mean = sum / Math.max(values.length, 1)
  for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) - mean
}

function clip(value: number): number {
  return value > CLIP ? CLIP : Math.max(value, -CLIP)
}
