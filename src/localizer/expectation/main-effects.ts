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

/** `expected` of `side` is the starting point and is fitted in place. */
export function fitMainEffects(side: Side, dimensions: readonly DimensionColumn[]): MainEffects {
  const effects = dimensions.map((dimension) => new Float64Array(dimension.values.length + 1).fill(1))
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < dimensions.length; index++) {
      const { ids, values } = dimensions[index] as DimensionColumn
      const events = new Float64Array(values.length + 1)
      const expected = new Float64Array(values.length + 1)
      for (let at = 0; at < side.rows.length; at++) {
        const id = ids[side.rows[at] as number] as number
        events[id] = (events[id] as number) + (side.events[at] as number)
        expected[id] = (expected[id] as number) + (side.expected[at] as number)
      }
      const effect = effects[index] as Float64Array
      for (let id = 0; id < events.length; id++) {
        expected[id] = ((events[id] as number) + PSEUDO_COUNT) / ((expected[id] as number) + PSEUDO_COUNT)
        effect[id] = (effect[id] as number) * (expected[id] as number)
      }
      for (let at = 0; at < side.rows.length; at++) {
        side.expected[at] = (side.expected[at] as number) * (expected[ids[side.rows[at] as number] as number] as number)
      }
    }
  }
  return effects
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
