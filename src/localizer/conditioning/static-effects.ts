// Step 2a: static differences of the target between values of dimensions (a slow accelerator, a far region) are part of a row's scale,
// so that "unusual" means unusual for such a row. Backfitting of mean log-ratios per value (Breiman & Friedman 1985), each value
// shrunk towards 0 by a pseudo-count, on a sample of the baseline.
import type { Population } from '../population/population.ts'
import { sampleRows } from '../sampling.ts'
import type { DimensionColumn } from '../table.ts'

const ROUNDS = 3
const PSEUDO_COUNT = 10
const FIT_ROWS = 40_000
/** Log-ratios are clipped: a hang or a failure is no static difference. */
const CLIP = 2

/** Multiplies `scale` (per table row) by the values' factors, but for rows in `unscaled` bins. */
export function applyStaticEffects(
  population: Population,
  dimensions: readonly DimensionColumn[],
  scale: Float32Array,
  bin: Uint16Array,
  unscaled: ReadonlyMap<number, unknown>,
  seed: number,
): void {
  const fitted = sampleRows(population.draw, population.baseline, FIT_ROWS, seed + 11).filter((row) => {
    const value = population.value[row] as number
    return population.censored[row] === 0 && value > 0 && Number.isFinite(value)
  })
  if (fitted.length < 50) return
  const residual = Float64Array.from(fitted, (row) => clip(Math.log((population.value[row] as number) / (scale[row] as number))))
  centre(residual)
  const effects = dimensions.map((dimension) => new Float64Array(dimension.values.length + 1))
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < dimensions.length; index++) {
      backfit((dimensions[index] as DimensionColumn).ids, fitted, residual, effects[index] as Float64Array)
    }
  }
  for (const effect of effects) for (let id = 0; id < effect.length; id++) effect[id] = Math.exp(effect[id] as number)
  const hasUnscaled = unscaled.size > 0
  for (const rows of [population.baseline, population.incident]) {
    for (let index = 0; index < dimensions.length; index++) {
      const { ids } = dimensions[index] as DimensionColumn
      const effect = effects[index] as Float64Array
      for (let at = 0; at < rows.length; at++) {
        const row = rows[at] as number
        if (hasUnscaled && unscaled.has(bin[row] as number)) continue
        scale[row] = (scale[row] as number) * (effect[ids[row] as number] as number)
      }
    }
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
