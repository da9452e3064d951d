// Counts a candidate again on every row, and measures how over-dispersed its counts are in the baseline: requests that queue together
// are slow together, so minutes of the same slice scatter more than a Poisson process.

import { roleOf } from '../roles.ts'
import { type Candidate, type Literal, membershipTables, type ScanInput } from './candidate.ts'
import { isFresh, siblingBaseline } from './fresh.ts'
import { type Counts, logLikelihoodRatio } from './statistic.ts'

/** Maps a baseline row (by its position) to its time block. */
export interface Blocks {
  of: Uint16Array
  count: number
}

export const MAX_BLOCKS = 60

/** Blocks of a quarter of the incident's length over the baseline, at most 60. */
export function timeBlocks(time: Float64Array, rows: Int32Array, incidentSeconds: number): Blocks {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (let at = 0; at < rows.length; at++) {
    const value = time[rows[at] as number] as number
    if (value < from) from = value
    if (value > to) to = value
  }
  const span = Math.max(to - from, 1e-9)
  const length = Math.max(incidentSeconds / 4, span / MAX_BLOCKS)
  const of = new Uint16Array(rows.length)
  for (let at = 0; at < rows.length; at++) of[at] = Math.min(Math.floor(((time[rows[at] as number] as number) - from) / length), MAX_BLOCKS)
  return { of, count: Math.floor(span / length) + 1 }
}

export function evaluate(input: ScanInput, blocks: Blocks, candidate: Candidate): Candidate {
  const a = sumSide(input, input.a, candidate.literals, null, 1)
  const b = sumSide(input, input.b, candidate.literals, blocks, blocks.count)
  const cA = a.events[0] as number
  const xA = a.expected[0] as number
  const cB = b.events.reduce((sum, value) => sum + value, 0)
  const xB = b.expected.reduce((sum, value) => sum + value, 0)
  if (isFreshSlice(input, candidate.literals, { cA, xA, cB, xB })) return evaluateFresh(input, { ...candidate, cA, xA, cB, xB })
  const g = logLikelihoodRatio(cA, xA, cB, xB)
  const phi = Math.max(1, input.weightVariance) * overDispersion(b.events, b.expected)
  return { ...candidate, cA, xA, cB, xB, g, phi, score: g / phi - candidate.penalty }
}

/** A slice that is all parts of the fleet and new: compared with its siblings. */
function isFreshSlice(input: ScanInput, literals: readonly Literal[], counts: Counts): boolean {
  if (literals.length === 0 || !isFresh(counts)) return false
  return literals.every((literal) => roleOf(input.dimensions[literal.dimension]?.name ?? '') === 'fleet')
}

function evaluateFresh(input: ScanInput, candidate: Candidate): Candidate {
  const counts = siblingBaseline(candidate, input.all)
  const g = logLikelihoodRatio(counts.cA, counts.xA, counts.cB, counts.xB)
  const phi = Math.max(1, input.weightVariance)
  return { ...candidate, ...counts, g, phi, fresh: true, score: g / phi - candidate.penalty }
}

function sumSide(input: ScanInput, side: ScanInput['a'], literals: readonly Literal[], blocks: Blocks | null, size: number) {
  const events = new Float64Array(size + 1)
  const expected = new Float64Array(size + 1)
  const tables = membershipTables(literals, input.dimensions)
  const ids = literals.map((literal) => input.dimensions[literal.dimension]?.ids as Uint16Array | Uint32Array)
  const firstIds = ids[0]
  const firstTable = tables[0]
  for (let at = 0; at < side.rows.length; at++) {
    const row = side.rows[at] as number
    if (firstIds !== undefined && (firstTable as Uint8Array)[firstIds[row] as number] === 0) continue
    let inside = true
    for (let index = 1; index < ids.length; index++) {
      if ((tables[index] as Uint8Array)[(ids[index] as Uint16Array)[row] as number] === 0) inside = false
    }
    if (!inside) continue
    const block = blocks === null ? 0 : (blocks.of[at] as number)
    events[block] = (events[block] as number) + (side.events[at] as number)
    expected[block] = (expected[block] as number) + (side.expected[at] as number)
  }
  return { events, expected }
}

/** Pearson's χ² over the degrees of freedom, shrunk to 1 by four pseudo-blocks, at least 1. */
export function overDispersion(events: Float64Array, expected: Float64Array): number {
  const total = events.reduce((sum, value) => sum + value, 0)
  const planned = expected.reduce((sum, value) => sum + value, 0)
  if (total < 4 || planned <= 0) return 1
  let chi = 0
  let used = 0
  for (let block = 0; block < events.length; block++) {
    const mean = ((expected[block] as number) * total) / planned
    if (mean < 0.2) continue
    chi += ((events[block] as number) - mean) ** 2 / mean
    used++
  }
  if (used < 3) return 1
  return Math.max(1, (chi + 4) / (used - 1 + 4))
}
