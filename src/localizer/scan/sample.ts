// Compact copies of the rows for counting pairs and triples: all rows with events (up to a limit) for the counts, a sample of all rows
// for the expectations. What wins here is counted again on every row (evaluate.ts), so sampling only decides who is looked at.

import type { Side } from '../expectation/main-effects.ts'
import { hashNumber } from '../sampling.ts'
import type { DimensionColumn } from '../table.ts'
import type { ScanInput } from './candidate.ts'

/** Rows with one mass each; `ids[dimension][at]` is the row's value. */
export interface MassSample {
  ids: Int32Array[]
  mass: Float64Array
}

export interface ScanSample {
  eventsA: MassSample
  expectedA: MassSample
  eventsB: MassSample
  expectedB: MassSample
}

export const SAMPLE_LIMIT = 50_000

export function sampleForScan(input: ScanInput, time: Float64Array, seed: number): ScanSample {
  return {
    eventsA: massSample(input.dimensions, input.a, 'events', time, seed),
    expectedA: massSample(input.dimensions, input.a, 'expected', time, seed + 1),
    eventsB: massSample(input.dimensions, input.b, 'events', time, seed + 2),
    expectedB: massSample(input.dimensions, input.b, 'expected', time, seed + 3),
  }
}

function massSample(
  dimensions: readonly DimensionColumn[],
  side: Side,
  kind: 'events' | 'expected',
  time: Float64Array,
  seed: number,
): MassSample {
  const mass = side[kind]
  let carriers = 0
  for (let at = 0; at < mass.length; at++) if ((mass[at] as number) > 0) carriers++
  const keep = carriers <= SAMPLE_LIMIT ? 1 : SAMPLE_LIMIT / carriers
  const cut = keep * 0x1_0000_0000
  const chosen = new Int32Array(Math.min(carriers, Math.ceil(SAMPLE_LIMIT * 1.1) + 100))
  let count = 0
  for (let at = 0; at < mass.length && count < chosen.length; at++) {
    if ((mass[at] as number) <= 0) continue
    if (keep < 1 && hashNumber(time[side.rows[at] as number] as number, seed) >= cut) continue
    chosen[count++] = at
  }
  const ids = dimensions.map((dimension) => gather(dimension.ids, side.rows, chosen, count))
  const kept = new Float64Array(count)
  for (let index = 0; index < count; index++) kept[index] = (mass[chosen[index] as number] as number) / keep
  return { ids, mass: kept }
}

function gather(ids: Uint16Array | Uint32Array, rows: Int32Array, chosen: Int32Array, count: number): Int32Array {
  const result = new Int32Array(count)
  for (let index = 0; index < count; index++) result[index] = ids[rows[chosen[index] as number] as number] as number
  return result
}
