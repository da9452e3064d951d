// Step 6: several names for the same rows are one answer. Two slices are aliases where their incident rows overlap by
// Jaccard ≥ 0.95: closer than what counts as the same answer, so that taking another name never changes the rows that are meant.
import { actionability } from '../roles.ts'
import { byScore, type Candidate, membersOf, type ScanInput } from '../scan/candidate.ts'

export const ALIAS_JACCARD = 0.95

/** Which rows of the incident a slice has. */
export function sliceMembers(input: ScanInput, candidate: Candidate): Uint8Array {
  return membersOf(input.a.rows, candidate.literals, input.dimensions)
}

export function jaccard(left: Uint8Array, right: Uint8Array): number {
  let both = 0
  let either = 0
  for (let at = 0; at < left.length; at++) {
    if (left[at] === 1 || right[at] === 1) either++
    if (left[at] === 1 && right[at] === 1) both++
  }
  return either === 0 ? 0 : both / either
}

/** Is every row of `inner` (up to `tolerance`) also one of `outer`? */
export function isInside(inner: Uint8Array, outer: Uint8Array, tolerance = 0.02): boolean {
  let own = 0
  let outside = 0
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] !== 1) continue
    own++
    if (outer[at] !== 1) outside++
  }
  return own > 0 && outside <= own * tolerance
}

export interface AliasGroup {
  best: Candidate
  aliases: Candidate[]
}

/** The candidate's aliases among all candidates; the fewest literals win, then the most actionable name, then the score. */
export function groupAliases(input: ScanInput, chosen: Candidate, candidates: readonly Candidate[]): AliasGroup {
  const own = sliceMembers(input, chosen)
  const group = candidates.filter((other) => other !== chosen && jaccard(own, sliceMembers(input, other)) >= ALIAS_JACCARD)
  const order = byScore(input.dimensions)
  const close = [chosen, ...group.filter((other) => other.score > chosen.score - Math.max(4, chosen.score * 0.1))]
  close.sort((left, right) => {
    const literals = left.literals.length - right.literals.length
    if (literals !== 0) return literals
    const values = countValues(left) - countValues(right)
    if (values !== 0) return values
    return rank(input, left) - rank(input, right) || order(left, right)
  })
  const best = close[0] as Candidate
  const simple = [chosen, ...group].filter((other) => other !== best && other.literals.length <= best.literals.length)
  return { best, aliases: simple.sort(order).slice(0, 6) }
}

function countValues(candidate: Candidate): number {
  return candidate.literals.reduce((sum, literal) => sum + literal.values.length, 0)
}

function rank(input: ScanInput, candidate: Candidate): number {
  return candidate.literals.reduce((sum, literal) => sum + actionability(input.dimensions[literal.dimension]?.name ?? ''), 0)
}
