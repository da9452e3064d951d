// Step 4b: how high do scores rise when nothing happened? The same scan over pseudo-incidents: stretches of the baseline against the
// rest of it. Their maxima are the null of the maximum over all slices (scan statistics' usual calibration), with the fleet's own
// burstiness in it, which no formula for over-dispersion knows.

import type { Side } from '../expectation/main-effects.ts'
import { hashNumber } from '../sampling.ts'
import { byScore, type Candidate, type ScanInput } from '../scan/candidate.ts'
import { evaluate, timeBlocks } from '../scan/evaluate.ts'
import { countValues, scanSets, scanSingles } from '../scan/singles.ts'

const WINDOWS = 6
const EVALUATED = 6
/** Baseline rows that a pseudo-incident is made from, at most. */
const MAX_ROWS = 60_000
const SEED = 41
/** The second highest of the pseudo-incidents is taken: one of them may have been a real incident. */
const HEADROOM = 1.3

export interface NullMaximum {
  /** Highest score of any slice in each pseudo-incident. */
  slices: number[]
  /** Score of the whole fleet in each. */
  fleet: number[]
}

/** Empty where the baseline is too short to hold pseudo-incidents. */
export function nullMaximum(input: ScanInput, time: Float64Array, incidentSeconds: number): NullMaximum {
  const { from, to } = spanOf(time, input.b.rows)
  const length = Math.min(incidentSeconds, (to - from) / 3)
  const result: NullMaximum = { slices: [], fleet: [] }
  if (!(length > 0) || input.b.rows.length < 200) return result
  const step = (to - from - length) / (WINDOWS - 1)
  const keep = Math.min(1, MAX_ROWS / input.b.rows.length)
  for (let index = 0; index < WINDOWS; index++) {
    const start = from + index * step
    const inside = (at: number) => at >= start && at < start + length
    const pseudo = pseudoInput(input, time, inside, keep)
    if (pseudo.a.rows.length < 30 || pseudo.b.rows.length < 60) continue
    const scored = maxima(pseudo, time, length)
    result.slices.push(scored.slice)
    result.fleet.push(scored.fleet)
  }
  return result
}

function maxima(pseudo: ScanInput, time: Float64Array, seconds: number): { slice: number; fleet: number } {
  const totalValues = Math.max(
    2,
    pseudo.dimensions.reduce((sum, dimension) => sum + dimension.values.length, 0),
  )
  const counts = countValues(pseudo)
  const found = [...scanSingles(pseudo, counts, totalValues), ...scanSets(pseudo, counts, totalValues)].sort(byScore(pseudo.dimensions))
  const blocks = timeBlocks(time, pseudo.b.rows, seconds)
  const scores = found.slice(0, EVALUATED).map((candidate) => evaluate(pseudo, blocks, candidate).score)
  const whole: Candidate = { ...pseudo.all, literals: [], g: 0, penalty: 0, phi: 1, score: 0 }
  return { slice: Math.max(0, ...scores), fleet: Math.max(0, evaluate(pseudo, blocks, whole).score) }
}

function pseudoInput(input: ScanInput, time: Float64Array, inside: (at: number) => boolean, keep: number): ScanInput {
  const cut = keep * 0x1_0000_0000
  const chosen = (wanted: boolean): Side => {
    const at: number[] = []
    for (let index = 0; index < input.b.rows.length; index++) {
      const instant = time[input.b.rows[index] as number] as number
      if (inside(instant) === wanted && (keep >= 1 || hashNumber(instant, SEED) < cut)) at.push(index)
    }
    return {
      rows: Int32Array.from(at, (index) => input.b.rows[index] as number),
      events: Float32Array.from(at, (index) => input.b.events[index] as number),
      expected: Float32Array.from(at, (index) => input.b.expected[index] as number),
    }
  }
  const a = chosen(true)
  const b = chosen(false)
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0)
  return { ...input, a, b, all: { cA: sum(a.events), xA: sum(a.expected), cB: sum(b.events), xB: sum(b.expected) } }
}

function spanOf(time: Float64Array, rows: Int32Array): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (let index = 0; index < rows.length; index++) {
    const at = time[rows[index] as number] as number
    if (at < from) from = at
    if (at > to) to = at
  }
  return { from, to }
}

/** Score that pseudo-incidents exceed rarely, at least `least`. */
export function rareScore(scores: readonly number[], least: number): number {
  if (scores.length < 4) return least
  const sorted = [...scores].sort((left, right) => right - left)
  return Math.max(least, HEADROOM * (sorted[1] as number))
}
