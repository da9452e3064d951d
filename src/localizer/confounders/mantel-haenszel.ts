// Step 5: is the rise of a slice only a change of its mix? For every other dimension the slice's rows are split into strata and the
// rate ratio is pooled over strata (Mantel & Haenszel 1959, person-time form; variance of Greenland & Robins 1985). A rise that
// vanishes inside the strata is a mix shift by that dimension.

import type { Side } from '../expectation/main-effects.ts'
import type { DimensionColumn } from '../table.ts'

export interface AdjustedRise {
  /** Pooled rate ratio, incident over baseline. */
  ratio: number
  /** z²/2 of its logarithm, 0 where it is not a rise. */
  score: number
  /** Share of the incident's expected events that lie in strata with a baseline. */
  covered: number
}

/** Strata sums, aligned by stratum. */
export interface Strata {
  cA: Float64Array
  xA: Float64Array
  cB: Float64Array
  xB: Float64Array
}

/** A stratum that the baseline hardly has says nothing. */
const THIN_STRATUM = 0.02

export function poolStrata(strata: Strata): AdjustedRise {
  let above = 0
  let below = 0
  let variance = 0
  let covered = 0
  let total = 0
  for (let index = 0; index < strata.cA.length; index++) {
    const cA = strata.cA[index] as number
    const xA = strata.xA[index] as number
    const cB = strata.cB[index] as number
    const xB = strata.xB[index] as number
    total += xA
    if (xA <= 0 || xB <= THIN_STRATUM * xA) continue
    covered += xA
    const sum = xA + xB
    above += (cA * xB) / sum
    below += (cB * xA) / sum
    variance += ((cA + cB) * xA * xB) / (sum * sum)
  }
  const share = total > 0 ? covered / total : 0
  if (above <= 0) return { ratio: 0, score: 0, covered: share }
  // One pseudo-event keeps a baseline without events from looking certain.
  const ratio = (above + 0.5) / (below + 0.5)
  const z = Math.log(ratio) / Math.sqrt((variance + 0.5) / ((above + 0.5) * (below + 0.5)))
  return { ratio, score: z > 0 ? (z * z) / 2 : 0, covered: share }
}

/** Strata by one dimension over the members of a slice (positions in each side). */
export function strataBy(dimension: DimensionColumn, a: Side, membersA: Int32Array, b: Side, membersB: Int32Array): Strata {
  const size = dimension.values.length + 1
  const strata = emptyStrata(size)
  add(dimension, null, a, membersA, strata.cA, strata.xA)
  add(dimension, null, b, membersB, strata.cB, strata.xB)
  compareUnknown(strata, (key) => key === size - 1)
  return strata
}

/** Strata by the combinations of two dimensions. */
export function strataByPair(
  first: DimensionColumn,
  second: DimensionColumn,
  a: Side,
  membersA: Int32Array,
  b: Side,
  membersB: Int32Array,
): Strata {
  const size = (first.values.length + 1) * (second.values.length + 1)
  const strata = emptyStrata(size)
  add(first, second, a, membersA, strata.cA, strata.xA)
  add(first, second, b, membersB, strata.cB, strata.xB)
  const width = second.values.length + 1
  compareUnknown(strata, (key) => key % width === width - 1 || key >= size - width)
  return strata
}

/**
 * Rows without the dimension, where the baseline has none: it is unknown because they have not ended (their client has not spoken yet), so
 * they are compared with the slice's whole baseline. Otherwise what hangs would be a change of mix.
 */
function compareUnknown({ xA, cB, xB }: Strata, isUnknown: (key: number) => boolean): void {
  const totals = { cB: total(cB), xB: total(xB) }
  for (let key = 0; key < xA.length; key++) {
    if ((xA[key] as number) <= 0 || !isUnknown(key) || (xB[key] as number) > THIN_STRATUM * (xA[key] as number)) continue
    cB[key] = totals.cB
    xB[key] = totals.xB
  }
}

function total(values: Float64Array): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index] as number
  return sum
}

function emptyStrata(size: number): Strata {
  return { cA: new Float64Array(size), xA: new Float64Array(size), cB: new Float64Array(size), xB: new Float64Array(size) }
}

function add(
  first: DimensionColumn,
  second: DimensionColumn | null,
  side: Side,
  members: Int32Array,
  c: Float64Array,
  x: Float64Array,
): void {
  const width = second === null ? 1 : second.values.length + 1
  for (let index = 0; index < members.length; index++) {
    const at = members[index] as number
    const row = side.rows[at] as number
    const key = (first.ids[row] as number) * width + (second === null ? 0 : (second.ids[row] as number))
    c[key] = (c[key] as number) + (side.events[at] as number)
    x[key] = (x[key] as number) + (side.expected[at] as number)
  }
}
