// Step 4b: how high do scores rise when nothing happened? The same scan over pseudo-incidents: stretches of the baseline against the
// rest of it. Their maxima are the null of the maximum over all slices (scan statistics' usual calibration), with the fleet's own
// burstiness in it, which no formula for over-dispersion knows.

import type { Side } from '../expectation/main-effects.ts'
import { byScore, type Candidate, type ScanInput } from '../scan/candidate.ts'
import { evaluate, spanOf, timeBlocks } from '../scan/evaluate.ts'
import { countValues, scanSets, scanSingles } from '../scan/singles.ts'
import { pickPositions, thin, withSides } from '../scan/thin.ts'

const WINDOWS = 6
const EVALUATED = 6
/** Baseline rows that a pseudo-incident is made from, at most. */
const MAX_ROWS = 60_000
/** Beyond the second highest of the pseudo-incidents: one of them may have been a real incident… */
const HEADROOM = 1.3
/** …but what looks no clearer than it happens here by itself. */
const LIKE_HIGHEST = 0.8

export interface NullMaximum {
  /** Highest score of any slice in each pseudo-incident. */
  slices: number[]
  /** Score of the whole fleet in each. */
  fleet: number[]
}

/** What is known of baselines, by how many incidents of that length they hold: the same for every incident against them. */
const known = new WeakMap<Side, Map<number, NullMaximum>>()

/** Empty where the baseline is too short to hold pseudo-incidents. */
export function nullMaximum(input: ScanInput, time: Float64Array, incidentSeconds: number): NullMaximum {
  const { from, to } = spanOf(time, input.b.rows)
  if (!(to > from) || input.b.rows.length < 200) return { slices: [], fleet: [] }
  const parts = Math.max(3, Math.round((to - from) / Math.max(incidentSeconds, 1e-9)))
  const ofSide = known.get(input.b) ?? new Map<number, NullMaximum>()
  known.set(input.b, ofSide)
  const found = ofSide.get(parts) ?? pseudoIncidents(input, time, from, to, (to - from) / parts)
  ofSide.set(parts, found)
  return found
}

function pseudoIncidents(input: ScanInput, time: Float64Array, from: number, to: number, length: number): NullMaximum {
  const result: NullMaximum = { slices: [], fleet: [] }
  const step = (to - from - length) / (WINDOWS - 1)
  const thinned = thin(input, MAX_ROWS)
  for (let index = 0; index < WINDOWS; index++) {
    const start = from + index * step
    const inside = (at: number) => at >= start && at < start + length
    const pseudo = pseudoInput(thinned, time, inside)
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
  const scores = found.slice(0, EVALUATED).map((candidate) => evaluate(pseudo, blocks, candidate, true).score)
  const whole: Candidate = { ...pseudo.all, literals: [], g: 0, penalty: 0, phi: 1, score: 0 }
  return { slice: Math.max(0, ...scores), fleet: Math.max(0, evaluate(pseudo, blocks, whole, true).score) }
}

function pseudoInput(input: ScanInput, time: Float64Array, inside: (at: number) => boolean): ScanInput {
  const chosen = (wanted: boolean): Side => {
    const at = new Int32Array(input.b.rows.length)
    let count = 0
    for (let index = 0; index < at.length; index++)
      if (inside(time[input.b.rows[index] as number] as number) === wanted) at[count++] = index
    return pickPositions(input.b, at, count)
  }
  return withSides(input, chosen(true), chosen(false))
}

/** Score that pseudo-incidents exceed rarely, at least `least`. */
export function rareScore(scores: readonly number[], least: number): number {
  if (scores.length < 4) return least
  const sorted = [...scores].sort((left, right) => right - left)
  return Math.max(least, HEADROOM * (sorted[1] as number), LIKE_HIGHEST * (sorted[0] as number))
}
