// Step 6b: a zone is not at fault because one of its clusters is. If a good slice lies inside the best one and the rest of the best one
// shows nothing, the inner slice is the answer.
import { measureEffect } from '../contrast/effect.ts'
import { type Candidate, literalKey, membersOf, type ScanInput } from '../scan/candidate.ts'
import { logLikelihoodRatio } from '../scan/statistic.ts'
import type { Case } from '../selection/case.ts'
import { isInside, jaccard, sliceMembers } from './aliases.ts'

/** G of the remainder below which it shows nothing. */
const QUIET_REMAINDER = 3
/** The remainder's effect, as a part of the inner slice's, below which it shows nothing. */
const QUIET_EFFECT = 0.15
/** Relative rise beyond the rest of the fleet's below which a remainder is quiet. */
const QUIET_RISE = 0.12
/** The inner slice's score, as a part of the best one's, that is near enough. */
const NEAR = 0.08
/** A remainder smaller than this part of the slice is no evidence either way. */
const MIN_REMAINDER = 0.03

/** A slice and the index of the tail level it was found at. */
export interface Scanned {
  level: number
  candidate: Candidate
}

/** Looks at slices of all levels: how a slice scores depends on the level, whether the rest of a wider one is quiet does not. */
export function narrowest(given: Case, inputs: readonly ScanInput[], chosen: Scanned, slices: readonly Scanned[]): Scanned {
  const input = inputs[0] as ScanInput
  let best = chosen
  let members = sliceMembers(input, best.candidate)
  for (const entry of slices) {
    const { candidate: inner } = entry
    if (literalKey(inner.literals) === literalKey(best.candidate.literals) || inner.score < NEAR * chosen.candidate.score) continue
    if (inner.literals.length > best.candidate.literals.length) continue
    const inside = sliceMembers(input, inner)
    if (!isInside(inside, members) || jaccard(inside, members) >= 1 - MIN_REMAINDER) continue
    if (!isQuiet(given, input, inner, best.candidate, entry.level === best.level)) continue
    best = entry
    members = inside
  }
  return best
}

function isQuiet(given: Case, input: ScanInput, inner: Candidate, outer: Candidate, sameLevel: boolean): boolean {
  const g = logLikelihoodRatio(outer.cA - inner.cA, outer.xA - inner.xA, outer.cB - inner.cB, outer.xB - inner.xB)
  if (sameLevel && g / Math.max(outer.phi, 1) < QUIET_REMAINDER && inner.score >= 0.9 * outer.score - 4) return true
  const now = split(input, input.a.rows, inner, outer)
  const before = split(input, input.b.rows, inner, outer)
  if (now.rest.length < 10 || before.rest.length < 10) return false
  const { measure } = given.question
  const rest = measureEffect(measure, given.population, given.conditioning, now.rest, before.rest)
  const own = measureEffect(measure, given.population, given.conditioning, now.inner, before.inner)
  if (rest.relative >= QUIET_EFFECT * own.relative) return false
  // Beside a slice that rose tenfold, one that doubled is not quiet: it must be near what the rest of the fleet does.
  const outside = measureEffect(measure, given.population, given.conditioning, now.outside, before.outside)
  return rest.relative - Math.max(0, outside.relative) < QUIET_RISE
}

function split(input: ScanInput, rows: Int32Array, inner: Candidate, outer: Candidate) {
  const inInner = membersOf(rows, inner.literals, input.dimensions)
  const inOuter = membersOf(rows, outer.literals, input.dimensions)
  return {
    inner: rows.filter((_, at) => inInner[at] === 1),
    rest: rows.filter((_, at) => inOuter[at] === 1 && inInner[at] === 0),
    outside: rows.filter((_, at) => inOuter[at] === 0),
  }
}
