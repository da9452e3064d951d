// Compact copies of the rows for counting pairs and triples: all rows with events (up to a limit) for the counts, a sample of all rows
// for the expectations. What wins here is counted again on every row (evaluate.ts), so sampling only decides who is looked at.

import type { Side } from '../expectation/main-effects.ts'
import { samplePositions } from '../sampling.ts'
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

/** Rows with events in the incident decide; everything else is only their yardstick. */
const LIMITS = { eventsA: 50_000, others: 25_000 }

export function sampleForScan(input: ScanInput, seed: number): ScanSample {
  return {
    eventsA: massSample(input, input.a, 'events', LIMITS.eventsA, seed),
    expectedA: massSample(input, input.a, 'expected', LIMITS.others, seed + 1),
    ...baselineSample(input, seed),
  }
}

type BaselineSample = Pick<ScanSample, 'eventsB' | 'expectedB'>
const baselineSamples = new WeakMap<Side, BaselineSample>()

/** The same for every incident. */
function baselineSample(input: ScanInput, seed: number): BaselineSample {
  const known = baselineSamples.get(input.b) ?? {
    eventsB: massSample(input, input.b, 'events', LIMITS.others, seed + 2),
    expectedB: massSample(input, input.b, 'expected', LIMITS.others, seed + 3),
  }
  baselineSamples.set(input.b, known)
  return known
}

function massSample(input: ScanInput, side: Side, kind: 'events' | 'expected', limit: number, seed: number): MassSample {
  const mass = side[kind]
  const carriers = new Int32Array(mass.length)
  let carrying = 0
  for (let at = 0; at < mass.length; at++) if ((mass[at] as number) > 0) carriers[carrying++] = at
  const rows = new Int32Array(carrying)
  for (let index = 0; index < carrying; index++) rows[index] = side.rows[carriers[index] as number] as number
  const chosen = samplePositions(input.draw, rows, limit, seed)
  const count = chosen.length
  const keep = count / Math.max(carrying, 1)
  for (let index = 0; index < count; index++) chosen[index] = carriers[chosen[index] as number] as number
  const ids = input.dimensions.map((dimension) => gather(dimension.ids, side.rows, chosen, count))
  const kept = new Float64Array(count)
  for (let index = 0; index < count; index++) kept[index] = (mass[chosen[index] as number] as number) / keep
  return { ids, mass: kept }
}

function gather(ids: Uint16Array | Uint32Array, rows: Int32Array, chosen: Int32Array, count: number): Int32Array {
  const result = new Int32Array(count)
  for (let index = 0; index < count; index++) result[index] = ids[rows[chosen[index] as number] as number] as number
  return result
}
