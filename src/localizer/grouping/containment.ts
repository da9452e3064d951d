// Step 6b: a zone is not at fault because one of its clusters is. If a good slice lies inside the best one and the rest of the best one
// shows nothing, the inner slice is the answer.
import { measureEffect } from '../contrast/effect.ts'
import { type Candidate, literalKey, membersOf, type ScanInput } from '../scan/candidate.ts'
import { logLikelihoodRatio } from '../scan/statistic.ts'
import type { Case } from '../selection/case.ts'
import { isInside, jaccard, sliceMembers } from './aliases.ts'
import { isMerePart } from './alike.ts'

/** G of the remainder below which it shows nothing. */
const QUIET_REMAINDER = 3
/** The remainder's effect, as a part of the inner slice's, below which it shows nothing. */
const QUIET_EFFECT = 0.15
/** Relative rise beyond the rest of the fleet's below which a remainder is quiet. */
const QUIET_RISE = 0.4
/** The inner slice's score, as a part of the best one's, that is near enough. */
const NEAR = 0.08
/** A remainder smaller than this part of the slice is no evidence either way. */
const MIN_REMAINDER = 0.03

/** A slice and the index of the tail level it was found at. */
export interface Scanned {
  level: number
  candidate: Candidate
}

const ROUNDS = 3

/** Looks at slices of all levels: how a slice scores depends on the level, whether the rest of a wider one is quiet does not. */
export function narrowest(given: Case, inputs: readonly ScanInput[], chosen: Scanned, slices: readonly Scanned[]): Scanned {
  let best = chosen
  for (let round = 0; round < ROUNDS; round++) {
    const next = quietestRemainder(given, inputs, best, chosen.candidate.score, slices)
    if (next === null) return best
    best = next
  }
  return best
}

/** Of the slices inside one, the one that leaves the quietest remainder. */
function quietestRemainder(
  given: Case,
  inputs: readonly ScanInput[],
  outer: Scanned,
  score: number,
  slices: readonly Scanned[],
): Scanned | null {
  const input = inputs[0] as ScanInput
  const members = sliceMembers(input, outer.candidate)
  let best: Scanned | null = null
  let least = Number.POSITIVE_INFINITY
  const seen = new Set<string>([literalKey(outer.candidate.literals)])
  for (const entry of slices) {
    const { candidate: inner } = entry
    const key = literalKey(inner.literals)
    if (seen.has(key) || inner.score < NEAR * score || inner.literals.length > outer.candidate.literals.length) continue
    seen.add(key)
    const inside = sliceMembers(input, inner)
    if (!isInside(inside, members) || jaccard(inside, members) >= 1 - MIN_REMAINDER) continue
    const remainder = quietRise(given, input, inner, outer.candidate, entry.level === outer.level)
    if (remainder === null || remainder >= least - 1e-9 || isMerePart(inputs, inner, outer.candidate)) continue
    best = entry
    least = remainder
  }
  return best
}

/** Relative rise of what is left of the outer slice; null where it is not quiet. */
function quietRise(given: Case, input: ScanInput, inner: Candidate, outer: Candidate, sameLevel: boolean): number | null {
  const g = logLikelihoodRatio(outer.cA - inner.cA, outer.xA - inner.xA, outer.cB - inner.cB, outer.xB - inner.xB)
  const now = split(input, input.a.rows, inner, outer)
  const before = split(input, input.b.rows, inner, outer)
  const silent = sameLevel && g / Math.max(outer.phi, 1) < QUIET_REMAINDER && inner.score >= 0.9 * outer.score - 4
  if (now.rest.length < 10 || before.rest.length < 10) return silent ? 0 : null
  const { measure } = given.question
  const rest = measureEffect(measure, given.population, given.conditioning, now.rest, before.rest)
  const own = measureEffect(measure, given.population, given.conditioning, now.inner, before.inner)
  if (silent) return rest.relative
  if (rest.relative >= QUIET_EFFECT * own.relative) return null
  // Beside a slice that rose tenfold, one that doubled is not quiet: it must be near what the rest of the fleet does.
  const outside = measureEffect(measure, given.population, given.conditioning, now.outside, before.outside)
  return rest.relative - Math.max(0, outside.relative) < QUIET_RISE ? rest.relative : null
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
