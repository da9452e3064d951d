// Step 6c: the reverse of containment. A conjunction, or one tenant of an adapter, may stand out most although all of the wider slice
// rose alike. If the rest of a wider slice rose comparably, the wider slice is the answer.
import { measureEffect } from '../contrast/effect.ts'
import { type Candidate, type Literal, literalKey, membersOf, type ScanInput } from '../scan/candidate.ts'
import { logLikelihoodRatio } from '../scan/statistic.ts'
import type { Case } from '../selection/case.ts'
import { isInside, sliceMembers } from './aliases.ts'
import { isAlike } from './alike.ts'

/** The remainder rose at least so much of what the inner slice rose. */
const COMPARABLE = 0.45
/** Evidence that the remainder rose at all, in nats. */
const MIN_REMAINDER = 3
const MIN_ROWS = 12

/** `recount` counts a slice on every row. */
export function widest(
  given: Case,
  inputs: readonly ScanInput[],
  input: ScanInput,
  chosen: Candidate,
  candidates: readonly Candidate[],
  recount: (literals: Literal[], penalty: number) => Candidate,
): Candidate {
  let best = chosen
  for (let round = 0; round < 4; round++) {
    const wider = widerSlices(input, best, candidates, recount).find((outer) => isComparable(given, inputs, best, outer))
    if (wider === undefined) return best
    best = wider
  }
  return best
}

/** Parents by dropping one literal, and candidates that contain the slice; the smallest first. */
function widerSlices(
  input: ScanInput,
  inner: Candidate,
  candidates: readonly Candidate[],
  recount: (literals: Literal[], penalty: number) => Candidate,
): Candidate[] {
  const members = sliceMembers(input, inner)
  const wider = new Map<string, Candidate>()
  if (inner.literals.length > 1) {
    for (const literal of inner.literals) {
      const literals = inner.literals.filter((other) => other !== literal)
      wider.set(literalKey(literals), recount(literals, (inner.penalty * literals.length) / inner.literals.length))
    }
  }
  for (const outer of candidates) {
    if (outer.xA <= inner.xA * 1.05 || outer.literals.length > inner.literals.length || outer.score < 0.8 * inner.score) continue
    if (outer.literals.some((literal) => literal.values.length > 1)) continue
    if (isInside(members, sliceMembers(input, outer))) wider.set(literalKey(outer.literals), outer)
  }
  return [...wider.values()].sort((left, right) => left.xA - right.xA || (literalKey(left.literals) < literalKey(right.literals) ? -1 : 1))
}

function isComparable(given: Case, inputs: readonly ScanInput[], inner: Candidate, outer: Candidate): boolean {
  const first = inputs[0] as ScanInput
  const now = split(first, first.a.rows, inner, outer)
  const before = split(first, first.b.rows, inner, outer)
  if (now.remainder.length < MIN_ROWS || before.remainder.length < MIN_ROWS) return false
  if (inner.literals.length > outer.literals.length && isAlike(inputs, inner, outer)) return true
  const rose = inputs.some((input) => remainderScore(input, inner, outer) / inner.phi >= MIN_REMAINDER)
  if (!rose) return false
  const { measure } = given.question
  const rest = measureEffect(measure, given.population, given.conditioning, now.remainder, before.remainder)
  const own = measureEffect(measure, given.population, given.conditioning, now.inner, before.inner)
  return rest.relative >= COMPARABLE * own.relative || (rest.absolute >= COMPARABLE * own.absolute && rest.relative >= 0.2 * own.relative)
}

/** G of the rows that are in the outer slice only. All levels share their rows. */
function remainderScore(input: ScanInput, inner: Candidate, outer: Candidate): number {
  const sums = [input.a, input.b].map((side) => {
    const inInner = membersOf(side.rows, inner.literals, input.dimensions)
    const inOuter = membersOf(side.rows, outer.literals, input.dimensions)
    let events = 0
    let expected = 0
    for (let at = 0; at < inOuter.length; at++) {
      if (inOuter[at] !== 1 || inInner[at] === 1) continue
      events += side.events[at] as number
      expected += side.expected[at] as number
    }
    return { events, expected }
  }) as [{ events: number; expected: number }, { events: number; expected: number }]
  return logLikelihoodRatio(sums[0].events, sums[0].expected, sums[1].events, sums[1].expected)
}

function split(input: ScanInput, rows: Int32Array, inner: Candidate, outer: Candidate) {
  const inInner = membersOf(rows, inner.literals, input.dimensions)
  const inOuter = membersOf(rows, outer.literals, input.dimensions)
  return {
    inner: rows.filter((_, at) => inInner[at] === 1),
    remainder: rows.filter((_, at) => inOuter[at] === 1 && inInner[at] === 0),
  }
}
