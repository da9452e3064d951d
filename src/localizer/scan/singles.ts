// Every value of every dimension, and sets of values of one dimension.
// Sets: sorted by how much each value's risk rose, the best set is a prefix (linear-time subset scanning, Neill 2012).

import type { Side } from '../expectation/main-effects.ts'
import { roleOf } from '../roles.ts'
import type { DimensionColumn } from '../table.ts'
import type { Candidate, ScanInput } from './candidate.ts'
import { isFresh, siblingBaseline } from './fresh.ts'
import { type Counts, logChoose, logLikelihoodRatio } from './statistic.ts'

/** Counts of each value of one dimension; the missing id is last. */
export interface ValueCounts {
  cA: Float64Array
  xA: Float64Array
  cB: Float64Array
  xB: Float64Array
}

/** A value with fewer events in the incident cannot be reported. */
export const MIN_EVENTS = 6
const MAX_SET = 24
/** Every member of a set rose, beyond the values outside it, at least so much of what the set so far rose. */
const COMPARABLE = 0.5
/** Nats that a member must bring by itself. */
const MIN_MEMBER = 6

/** The baseline's counts stay while what is found in the incident is explained away. */
const baselineCounts = new WeakMap<Side, Pick<ValueCounts, 'cB' | 'xB'>[]>()

export function countValues(input: ScanInput): ValueCounts[] {
  let before = baselineCounts.get(input.b)
  if (before === undefined || before.length !== input.dimensions.length) {
    before = countSide(input, input.b).map(({ events, expected }) => ({ cB: events, xB: expected }))
    baselineCounts.set(input.b, before)
  }
  const known = before
  return countSide(input, input.a).map(({ events, expected }, index) => ({
    cA: events,
    xA: expected,
    ...(known[index] as Pick<ValueCounts, 'cB' | 'xB'>),
  }))
}

function countSide(input: ScanInput, side: Side): { events: Float64Array; expected: Float64Array }[] {
  return input.dimensions.map((dimension) => {
    const events = new Float64Array(dimension.values.length + 1)
    const expected = new Float64Array(dimension.values.length + 1)
    accumulate(dimension.ids, side.rows, side.events, side.expected, events, expected)
    return { events, expected }
  })
}

function accumulate(
  ids: Uint16Array | Uint32Array,
  rows: Int32Array,
  events: Float32Array,
  expected: Float32Array,
  c: Float64Array,
  x: Float64Array,
): void {
  for (let at = 0; at < rows.length; at++) {
    const id = ids[rows[at] as number] as number
    c[id] = (c[id] as number) + (events[at] as number)
    x[id] = (x[id] as number) + (expected[at] as number)
  }
}

export function scanSingles(input: ScanInput, counts: readonly ValueCounts[], totalValues: number): Candidate[] {
  const found: Candidate[] = []
  for (let index = 0; index < counts.length; index++) {
    const { cA, xA, cB, xB } = counts[index] as ValueCounts
    const fleet = roleOf(input.dimensions[index]?.name ?? '') === 'fleet'
    for (let id = 0; id < cA.length - 1; id++) {
      if ((cA[id] as number) < MIN_EVENTS) continue
      let value: Counts = { cA: cA[id] as number, xA: xA[id] as number, cB: cB[id] as number, xB: xB[id] as number }
      if (fleet && isFresh(value)) value = siblingBaseline(value, input.all)
      const g = logLikelihoodRatio(value.cA, value.xA, value.cB, value.xB)
      if (g <= 0) continue
      const penalty = Math.log(totalValues)
      found.push({ ...value, literals: [{ dimension: index, values: [id] }], g, penalty, phi: 1, score: g - penalty })
    }
  }
  return found
}

export function scanSets(input: ScanInput, counts: readonly ValueCounts[], totalValues: number): Candidate[] {
  const found: Candidate[] = []
  for (let index = 0; index < counts.length; index++) {
    const best = bestPrefix(input.dimensions[index] as DimensionColumn, counts[index] as ValueCounts, totalValues)
    if (best !== null) found.push({ ...best, literals: [{ dimension: index, values: best.values }] })
  }
  return found
}

function riskOf(counts: Counts): number {
  return (counts.cA + 1) / (counts.xA + 1) / ((counts.cB + 2) / (counts.xB + 2))
}

/** Counts of the values that are not among these. */
function outside({ cA, xA, cB, xB }: ValueCounts, ids: readonly number[]): Counts {
  const sum = (values: Float64Array) =>
    values.reduce((total, value) => total + value, 0) - ids.reduce((total, id) => total + (values[id] as number), 0)
  return { cA: sum(cA), xA: sum(xA), cB: sum(cB), xB: sum(xB) }
}

function bestPrefix(dimension: DimensionColumn, counts: ValueCounts, totalValues: number) {
  const { cA, xA, cB, xB } = counts
  const risk = (id: number) => riskOf({ cA: cA[id] as number, xA: xA[id] as number, cB: cB[id] as number, xB: xB[id] as number })
  const order: number[] = []
  for (let id = 0; id < dimension.values.length; id++) if ((cA[id] as number) >= 2 && risk(id) > 1.05) order.push(id)
  order.sort((left, right) => {
    const gap = risk(right) - risk(left)
    return Math.abs(gap) > 1e-9 ? gap : (dimension.values[left] as string) < (dimension.values[right] as string) ? -1 : 1
  })
  const sum: Counts = { cA: 0, xA: 0, cB: 0, xB: 0 }
  let best: (Counts & { g: number; penalty: number; phi: number; score: number; values: number[] }) | null = null
  const members: number[] = []
  const limit = Math.min(order.length, MAX_SET, Math.ceil(dimension.values.length / 2))
  for (let size = 1; size <= limit; size++) {
    const id = order[size - 1] as number
    // A member that rose far less than the others is a victim or noise, no part of the same set.
    const usual = Math.max(1, riskOf(outside(counts, order.slice(0, size))))
    if (size > 1 && risk(id) - usual < COMPARABLE * (riskOf(sum) - usual)) break
    if (logLikelihoodRatio(cA[id] as number, xA[id] as number, cB[id] as number, xB[id] as number) < MIN_MEMBER) continue
    sum.cA += cA[id] as number
    sum.xA += xA[id] as number
    sum.cB += cB[id] as number
    sum.xB += xB[id] as number
    members.push(id)
    if (members.length < 2) continue
    const g = logLikelihoodRatio(sum.cA, sum.xA, sum.cB, sum.xB)
    const penalty = Math.log(totalValues) + logChoose(dimension.values.length, members.length)
    if (g > 0 && (best === null || g - penalty > best.score)) {
      const values = [...members].sort((left, right) => left - right)
      best = { ...sum, g, penalty, phi: 1, score: g - penalty, values }
    }
  }
  return best
}
