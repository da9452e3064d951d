// A slice that may be the answer: one or more literals (`dimension is one of values`), with its counts and score.
import type { Slice } from '@longpole/model/finding'
import type { Side } from '../expectation/main-effects.ts'
import type { DimensionColumn } from '../table.ts'
import type { Counts } from './statistic.ts'

export interface Literal {
  /** Index into the searched dimensions. */
  dimension: number
  /** Value ids, ascending. */
  values: number[]
}

export interface Candidate extends Counts {
  /** By dimension index; empty: the whole fleet. */
  literals: Literal[]
  /** Log-likelihood ratio before over-dispersion and penalty. */
  g: number
  /** ln of the number of slices it was chosen among. */
  penalty: number
  /** Over-dispersion of its counts in the baseline, ≥ 1. */
  phi: number
  /** The same against the rest of the fleet in the same blocks: waves that everybody rides cancel. Known once evaluated. */
  contrastPhi?: number
  score: number
  /** It hardly exists in the baseline: compared with its siblings there. */
  fresh?: boolean
}

/** What the scan looks at: one tail level of one target. */
export interface ScanInput {
  dimensions: readonly DimensionColumn[]
  a: Side
  b: Side
  all: Counts
  /** Share of the baseline's rows that bring an event; 0 for additive measures. */
  rate: number
  /**
   * Variance of a count ÷ its mean where rows are independent: 1 − rate (a row brings one event or none), times Σw²/Σw where rows are
   * weighted, because such counts are worth less than they seem.
   */
  variance: number
  /** Over-dispersion that the whole fleet shows where events are more frequent; 1 where that is unknown. */
  burstiness: number
  /** Per table row: a hash that samples are chosen by. */
  draw: Uint32Array
}

export function literalKey(literals: readonly Literal[]): string {
  return literals.map((literal) => `${literal.dimension}:${literal.values.join('|')}`).join('&')
}

/** Per literal, which value ids are in it. */
export function membershipTables(literals: readonly Literal[], dimensions: readonly DimensionColumn[]): Uint8Array[] {
  return literals.map((literal) => {
    const table = new Uint8Array((dimensions[literal.dimension] as DimensionColumn).values.length + 1)
    for (const value of literal.values) table[value] = 1
    return table
  })
}

/** Memberships of the slices that were asked for last, by list of rows. */
const remembered = new WeakMap<Int32Array, Map<string, Uint8Array>>()
const REMEMBERED = 40

/** 1 where a row of the list is in the slice. Not to be written to: it is handed out again. */
export function membersOf(rows: Int32Array, literals: readonly Literal[], dimensions: readonly DimensionColumn[]): Uint8Array {
  let known = remembered.get(rows)
  if (known === undefined) {
    known = new Map()
    remembered.set(rows, known)
  }
  const key = literals.map((literal) => `${dimensions[literal.dimension]?.name}:${literal.values.join('|')}`).join('&')
  const found = known.get(key)
  if (found !== undefined) return found
  const members = computeMembers(rows, literals, dimensions)
  if (known.size >= REMEMBERED) known.delete(known.keys().next().value as string)
  known.set(key, members)
  return members
}

function computeMembers(rows: Int32Array, literals: readonly Literal[], dimensions: readonly DimensionColumn[]): Uint8Array {
  const members = new Uint8Array(rows.length).fill(1)
  const tables = membershipTables(literals, dimensions)
  for (let index = 0; index < literals.length; index++) {
    const ids = (dimensions[(literals[index] as Literal).dimension] as DimensionColumn).ids
    const table = tables[index] as Uint8Array
    for (let at = 0; at < rows.length; at++) {
      if (members[at] === 1) members[at] = table[ids[rows[at] as number] as number] as number
    }
  }
  return members
}

/** Events and expected events of some rows of a side. */
export interface Mass {
  events: number
  expected: number
}

export function sumSide(side: Side): Mass {
  let events = 0
  let expected = 0
  for (let at = 0; at < side.rows.length; at++) {
    events += side.events[at] as number
    expected += side.expected[at] as number
  }
  return { events, expected }
}

/** Of the rows in the slice alone. */
export function sumMembers(side: Side, literals: readonly Literal[], dimensions: readonly DimensionColumn[]): Mass {
  const members = membersOf(side.rows, literals, dimensions)
  let events = 0
  let expected = 0
  for (let at = 0; at < members.length; at++) {
    if (members[at] === 0) continue
    events += side.events[at] as number
    expected += side.expected[at] as number
  }
  return { events, expected }
}

export function countsOf(now: Mass, before: Mass): Counts {
  return { cA: now.events, xA: now.expected, cB: before.events, xB: before.expected }
}

/** Counts of a slice on every row. */
export function countSlice({ a, b, dimensions }: ScanInput, literals: readonly Literal[]): Counts {
  return countsOf(sumMembers(a, literals, dimensions), sumMembers(b, literals, dimensions))
}

export function toSlice(literals: readonly Literal[], dimensions: readonly DimensionColumn[]): Slice {
  const slice: Slice = {}
  for (const literal of literals) {
    const dimension = dimensions[literal.dimension] as DimensionColumn
    slice[dimension.name] = literal.values.map((value) => dimension.values[value] ?? '').sort()
  }
  return slice
}

/** Names in a fixed order break ties, so that neither row order nor dictionary order can. */
export function sliceName(literals: readonly Literal[], dimensions: readonly DimensionColumn[]): string {
  return literals
    .map((literal) => {
      const dimension = dimensions[literal.dimension] as DimensionColumn
      return `${dimension.name}=${literal.values
        .map((value) => dimension.values[value] ?? '')
        .sort()
        .join('|')}`
    })
    .sort()
    .join('&')
}

/** Best first; scores that differ by less than rounding are ordered by name. */
export function byScore(dimensions: readonly DimensionColumn[]): (left: Candidate, right: Candidate) => number {
  return (left, right) => {
    const gap = right.score - left.score
    if (Math.abs(gap) > 1e-7 * (1 + Math.abs(left.score))) return gap
    const a = sliceName(left.literals, dimensions)
    const b = sliceName(right.literals, dimensions)
    return a < b ? -1 : a > b ? 1 : 0
  }
}
