// Counts a candidate again on every row, and measures how over-dispersed its counts are in the baseline: requests that queue together
// are slow together, so minutes of the same slice scatter more than a Poisson process.

import { roleOf } from '../roles.ts'
import type { DimensionColumn } from '../table.ts'
import { type Candidate, countsOf, type Literal, type Mass, membersOf, type ScanInput, sumMembers } from './candidate.ts'
import { isFresh, siblingBaseline } from './fresh.ts'
import { type Counts, logLikelihoodRatio } from './statistic.ts'

/** Maps a baseline row (by its position) to its time block. */
export interface Blocks {
  of: Uint8Array
  count: number
}

export const MAX_BLOCKS = 60

/** Blocks of about a quarter of the incident's length over the baseline, at most 60. */
export function countBlocks(span: number, incidentSeconds: number): number {
  return Math.max(1, Math.min(MAX_BLOCKS, Math.round(span / Math.max(incidentSeconds / 4, 1e-9))))
}

export function timeBlocks(time: Float64Array, rows: Int32Array, incidentSeconds: number): Blocks {
  const { from, to } = spanOf(time, rows)
  const count = countBlocks(to - from, incidentSeconds)
  const length = Math.max(to - from, 1e-9) / count
  const of = new Uint8Array(rows.length)
  for (let at = 0; at < rows.length; at++) of[at] = Math.min(Math.floor(((time[rows[at] as number] as number) - from) / length), count - 1)
  return { of, count }
}

export function spanOf(time: Float64Array, rows: Int32Array): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (let at = 0; at < rows.length; at++) {
    const value = time[rows[at] as number] as number
    if (value < from) from = value
    if (value > to) to = value
  }
  return { from, to }
}

/** `exact`: the candidate's counts are those of all rows already. */
export function evaluate(input: ScanInput, blocks: Blocks, candidate: Candidate, exact = false): Candidate {
  const inBlocks = sumBlocks(input, blocks, candidate.literals)
  const counts = exact ? candidate : countsOf(sumMembers(input.a, candidate.literals, input.dimensions), sumOfBlocks(inBlocks))
  const { cA, xA, cB, xB } = counts
  if (isFreshSlice(input, candidate.literals, { cA, xA, cB, xB })) return evaluateFresh(input, { ...candidate, cA, xA, cB, xB })
  const g = logLikelihoodRatio(cA, xA, cB, xB)
  const { variance } = input
  const phi = variance * overDispersion(inBlocks.events, inBlocks.expected, variance, priorOf(input, xB))
  const contrastPhi = variance * contrastDispersion(inBlocks, sumBlocks(input, blocks, []), variance)
  return { ...candidate, cA, xA, cB, xB, g, phi, contrastPhi, score: g / phi - candidate.penalty }
}

/** Bursts that the whole fleet has are split among its parts. */
function priorOf({ burstiness, all }: ScanInput, expected: number): number {
  return 1 + (burstiness - 1) * Math.min(1, expected / Math.max(all.xB, 1e-9))
}

/**
 * The whole fleet's over-dispersion at the next wider level, written into each input, the widest first: a handful of events cannot show that
 * they come in bursts, those of the level around them can.
 */
export function noteBurstiness(inputs: readonly ScanInput[], blocks: Blocks): void {
  let burstiness = 1
  for (const input of inputs) {
    input.burstiness = burstiness
    const { events, expected } = fleetBlocks(input, blocks)
    burstiness = overDispersion(events, expected, input.variance, burstiness)
  }
}

/** A slice that is all parts of the fleet and new: compared with its siblings. */
function isFreshSlice(input: ScanInput, literals: readonly Literal[], counts: Counts): boolean {
  if (literals.length === 0 || !isFresh(counts)) return false
  return literals.every((literal) => roleOf(input.dimensions[literal.dimension]?.name ?? '') === 'fleet')
}

function evaluateFresh(input: ScanInput, candidate: Candidate): Candidate {
  const counts = siblingBaseline(candidate, input.all)
  const g = logLikelihoodRatio(counts.cA, counts.xA, counts.cB, counts.xB)
  const phi = input.variance
  return { ...candidate, ...counts, g, phi, fresh: true, score: g / phi - candidate.penalty }
}

interface BlockSums {
  events: Float64Array
  expected: Float64Array
}

function sumOfBlocks({ events, expected }: BlockSums): Mass {
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
  return { events: sum(events), expected: sum(expected) }
}

/** The baseline's events and expected events of a slice in each block. */
function sumBlocks(input: ScanInput, blocks: Blocks, literals: readonly Literal[]): BlockSums {
  const only = literals.length === 1 ? literals[0] : undefined
  const table = only === undefined ? null : valueBlocks(input, blocks, only.dimension)
  const events = new Float64Array(blocks.count)
  const expected = new Float64Array(blocks.count)
  if (table !== null && only !== undefined) {
    for (const value of only.values) {
      for (let block = 0; block < blocks.count; block++) {
        events[block] = (events[block] as number) + (table.events[value * blocks.count + block] as number)
        expected[block] = (expected[block] as number) + (table.expected[value * blocks.count + block] as number)
      }
    }
    return { events, expected }
  }
  if (literals.length === 0) return fleetBlocks(input, blocks)
  const { b } = input
  const members = membersOf(b.rows, literals, input.dimensions)
  for (let at = 0; at < members.length; at++) {
    if (members[at] === 0) continue
    const block = blocks.of[at] as number
    events[block] = (events[block] as number) + (b.events[at] as number)
    expected[block] = (expected[block] as number) + (b.expected[at] as number)
  }
  return { events, expected }
}

const fleet = new WeakMap<ScanInput['b'], { blocks: Blocks; sums: BlockSums }>()

function fleetBlocks({ b }: ScanInput, blocks: Blocks): BlockSums {
  const known = fleet.get(b)
  if (known?.blocks === blocks) return known.sums
  const sums = { events: new Float64Array(blocks.count), expected: new Float64Array(blocks.count) }
  for (let at = 0; at < b.rows.length; at++) {
    const block = blocks.of[at] as number
    sums.events[block] = (sums.events[block] as number) + (b.events[at] as number)
    sums.expected[block] = (sums.expected[block] as number) + (b.expected[at] as number)
  }
  fleet.set(b, { blocks, sums })
  return sums
}

/** Dimensions with more values than this are summed slice by slice. */
const TABLED_VALUES = 5_000
/** Sums of every value of a dimension in every block, by the baseline they are of. */
const tabled = new WeakMap<ScanInput['b'], { blocks: Blocks; of: Map<string, BlockSums> }>()

function valueBlocks(input: ScanInput, blocks: Blocks, index: number): BlockSums | null {
  const { name, ids, values } = input.dimensions[index] as DimensionColumn
  if (values.length > TABLED_VALUES) return null
  let known = tabled.get(input.b)
  if (known?.blocks !== blocks) {
    known = { blocks, of: new Map() }
    tabled.set(input.b, known)
  }
  const found = known.of.get(name)
  if (found !== undefined) return found
  const { rows, events, expected } = input.b
  const size = (values.length + 1) * blocks.count
  const sums = { events: new Float64Array(size), expected: new Float64Array(size) }
  for (let at = 0; at < rows.length; at++) {
    const cell = (ids[rows[at] as number] as number) * blocks.count + (blocks.of[at] as number)
    sums.events[cell] = (sums.events[cell] as number) + (events[at] as number)
    sums.expected[cell] = (sums.expected[cell] as number) + (expected[at] as number)
  }
  known.of.set(name, sums)
  return sums
}

/**
 * Over-dispersion of the slice's events given what the whole fleet had in the same block: binomial χ² over the degrees of freedom, shrunk
 * like overDispersion. A machine that is slow for everybody for a minute says nothing about the slice.
 */
function contrastDispersion(slice: BlockSums, all: BlockSums, perEvent: number): number {
  const own = sumOfBlocks(slice)
  const whole = sumOfBlocks(all)
  const [risk, restRisk] = [own.events / own.expected, (whole.events - own.events) / (whole.expected - own.expected)]
  if (!(risk > 0) || !(restRisk > 0) || !Number.isFinite(risk / restRisk)) return 1
  let chi = 0
  let used = 0
  for (let block = 0; block < slice.events.length; block++) {
    const mine = (slice.expected[block] as number) * risk
    const share = mine / (mine + ((all.expected[block] as number) - (slice.expected[block] as number)) * restRisk)
    const variance = perEvent * (all.events[block] as number) * share * (1 - share)
    if (!(variance >= 0.2)) continue
    chi += ((slice.events[block] as number) - (all.events[block] as number) * share) ** 2 / variance
    used++
  }
  return used < 3 ? 1 : Math.max(1, (chi + 4) / (used - 1 + 4))
}

/** Pearson's χ² over the degrees of freedom, shrunk to `prior` by four pseudo-blocks, at least 1. `variance`: of a count ÷ its mean. */
export function overDispersion(events: Float64Array, expected: Float64Array, variance = 1, prior = 1): number {
  const total = events.reduce((sum, value) => sum + value, 0)
  const planned = expected.reduce((sum, value) => sum + value, 0)
  if (total < 4 || planned <= 0) return prior
  let chi = 0
  let used = 0
  for (let block = 0; block < events.length; block++) {
    const mean = ((expected[block] as number) * total) / planned
    if (mean < 0.2) continue
    chi += ((events[block] as number) - mean) ** 2 / (variance * mean)
    used++
  }
  if (used < 3) return prior
  return Math.max(1, (chi + PSEUDO_BLOCKS * prior) / (used - 1 + PSEUDO_BLOCKS))
}

const PSEUDO_BLOCKS = 4
