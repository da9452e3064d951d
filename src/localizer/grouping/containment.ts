// Step 6b: a zone is not at fault because one of its clusters is. If a near-best slice lies inside the best one and the rest of the
// best one shows nothing, the inner slice is the answer.
import { type Candidate, literalKey, type ScanInput } from '../scan/candidate.ts'
import { logLikelihoodRatio } from '../scan/statistic.ts'
import { isInside, jaccard, sliceMembers } from './aliases.ts'

/** G of the remainder below which it shows nothing. */
const QUIET_REMAINDER = 3

export function narrowest(input: ScanInput, chosen: Candidate, candidates: readonly Candidate[]): Candidate {
  let best = chosen
  let members = sliceMembers(input, best)
  for (const inner of candidates) {
    if (literalKey(inner.literals) === literalKey(best.literals)) continue
    if (inner.score < chosen.score - Math.max(4, chosen.score * 0.1)) continue
    if (inner.literals.length > best.literals.length) continue
    const inside = sliceMembers(input, inner)
    if (!isInside(inside, members) || jaccard(inside, members) >= 0.98) continue
    const remainder = logLikelihoodRatio(best.cA - inner.cA, best.xA - inner.xA, best.cB - inner.cB, best.xB - inner.xB)
    if (remainder / Math.max(best.phi, 1) >= QUIET_REMAINDER) continue
    best = inner
    members = inside
  }
  return best
}
