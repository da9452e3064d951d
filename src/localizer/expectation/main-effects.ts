// Step 3: how many events a row would bring if nothing had happened: log m_i = c + Σ_d u_d(value), main effects of all dimensions,
// fitted on the baseline by iterative proportional fitting (Deming & Stephan 1940) with a pseudo-count that pulls thin values to 1.
// Takes out static differences (slow accelerators, far regions, heavy tenants) and what their mix brings.
import type { DimensionColumn } from '../table.ts'

/** Rows with their events and expected events, as the scan needs them. All arrays are aligned with `rows`. */
export interface Side {
  rows: Int32Array
  events: Float32Array
  expected: Float32Array
}

/** Factor by which each value of each dimension multiplies the expected events; the missing id is last. */
export type MainEffects = Float64Array[]

const ROUNDS = 4
const PSEUDO_COUNT = 4

/** `expected` of `side` is the starting point. */
export function fitMainEffects(side: Side, dimensions: readonly DimensionColumn[]): MainEffects {
  const effects = dimensions.map((dimension) => new Float64Array(dimension.values.length + 1).fill(1))
  // Read so many times that a compact copy is worth it.
  const columns = dimensions.map((dimension) => gatherIds(dimension, side.rows))
  const expected = Float64Array.from(side.expected)
  let factor: Float64Array | null = null
  let factored: Uint16Array | Uint32Array | null = null
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < dimensions.length; index++) {
      const ids = columns[index] as Uint16Array | Uint32Array
      const effect = effects[index] as Float64Array
      const found = ratiosOf(ids, side.events, expected, factored, factor, effect.length)
      for (let id = 0; id < found.length; id++) effect[id] = (effect[id] as number) * (found[id] as number)
      factor = found
      factored = ids
    }
  }
  return effects
}

/** One pass: what the dimension before found is applied, and this one's events and expected events are summed. */
function ratiosOf(
  ids: Uint16Array | Uint32Array,
  events: Float32Array,
  expected: Float64Array,
  factored: Uint16Array | Uint32Array | null,
  factor: Float64Array | null,
  size: number,
): Float64Array {
  const counted = new Float64Array(size).fill(PSEUDO_COUNT)
  const planned = new Float64Array(size).fill(PSEUDO_COUNT)
  for (let at = 0; at < ids.length; at++) {
    let mean = expected[at] as number
    if (factor !== null && factored !== null) {
      mean *= factor[factored[at] as number] as number
      expected[at] = mean
    }
    const id = ids[at] as number
    counted[id] = (counted[id] as number) + (events[at] as number)
    planned[id] = (planned[id] as number) + mean
  }
  for (let id = 0; id < size; id++) planned[id] = (counted[id] as number) / (planned[id] as number)
  return planned
}

function gatherIds({ ids, values }: DimensionColumn, rows: Int32Array): Uint16Array | Uint32Array {
  const gathered = values.length < 0xffff ? new Uint16Array(rows.length) : new Uint32Array(rows.length)
  for (let at = 0; at < rows.length; at++) gathered[at] = ids[rows[at] as number] as number
  return gathered
}

/** Multiplies the expected events of each row by its values' factors. */
export function applyMainEffects(side: Side, dimensions: readonly DimensionColumn[], effects: MainEffects): void {
  for (let index = 0; index < dimensions.length; index++) {
    const ids = (dimensions[index] as DimensionColumn).ids
    const effect = effects[index] as Float64Array
    for (let at = 0; at < side.rows.length; at++) {
      side.expected[at] = (side.expected[at] as number) * (effect[ids[side.rows[at] as number] as number] as number)
    }
  }
}
