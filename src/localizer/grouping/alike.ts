// Is the rest of a slice like a part of it? Counted in events: the mean effect of a few dozen rows is a matter of two or three of them, and
// of which rows are slow by themselves; how many exceed what is usual for them is not.
import { type Candidate, countSlice, type ScanInput } from '../scan/candidate.ts'
import { type Counts, contrast, logLikelihoodRatio, riskRatio } from '../scan/statistic.ts'
import { isInside, sliceMembers } from './aliases.ts'

/** A part so large of a simpler slice that scores higher differs from it by chance. */
const LARGE_PART = 0.7
/** The rest rose at least so much of what the part rose, with so much evidence: less where the whole slice has a shorter name. */
const ALIKE = { simpler: 0.3, asSimple: 0.5 }
const MIN_EVIDENCE = 5
/** Nats by which a part with a longer name stands out from the slice around it. */
const MIN_SET_OFF = 3
/** Levels at which the whole slice is so much less clear than at its best say nothing of it. */
const CLEAR = 0.2

/** Nothing sets the part off from the slice around it. */
export function isMerePart(inputs: readonly ScanInput[], part: Candidate, whole: Candidate): boolean {
  const first = inputs[0] as ScanInput
  const inside = sliceMembers(first, part)
  const around = sliceMembers(first, whole)
  if (!isInside(inside, around)) return false
  const isLonger = complexity(part) > complexity(whole)
  const isLarge = isLonger && part.score <= whole.score && count(inside) >= LARGE_PART * count(around)
  return isLarge || (isLonger && !isSetOff(inputs, part, whole)) || isAlike(inputs, part, whole)
}

/** The part rose more than the rest of the slice around it by more than chance, at some level. */
function isSetOff(inputs: readonly ScanInput[], part: Candidate, whole: Candidate): boolean {
  return inputs.some((input) => {
    const phi = Math.max(1, part.phi / input.variance)
    return contrast(countSlice(input, part.literals), countSlice(input, whole.literals), input.rate, phi) >= MIN_SET_OFF
  })
}

function count(members: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < members.length; at++) sum += members[at] as number
  return sum
}

function complexity({ literals }: Candidate): number {
  return literals.reduce((sum, { values }) => sum + values.length, 0)
}

/** At every level where both clearly stand out, the rest of the slice rose comparably. Where a part is the cause, the rest stays behind in the tail. */
export function isAlike(inputs: readonly ScanInput[], part: Candidate, whole: Candidate): boolean {
  const evidence = ({ cA, xA, cB, xB }: Counts) => logLikelihoodRatio(cA, xA, cB, xB)
  const wholes = inputs.map((input) => countSlice(input, whole.literals))
  const strongest = Math.max(...wholes.map(evidence)) / whole.phi
  const least = {
    rise: complexity(part) > complexity(whole) ? ALIKE.simpler : ALIKE.asSimple,
    evidence: Math.max(MIN_EVIDENCE, CLEAR * strongest),
  }
  const compared = inputs.flatMap((input, level) => {
    const own = countSlice(input, part.literals)
    const all = wholes[level] as Counts
    if (evidence(own) / part.phi < MIN_EVIDENCE || evidence(all) / whole.phi < least.evidence) return []
    const rest = { cA: all.cA - own.cA, xA: all.xA - own.xA, cB: all.cB - own.cB, xB: all.xB - own.xB }
    return [evidence(rest) / whole.phi >= MIN_EVIDENCE && riskRatio(rest) - 1 >= least.rise * (riskRatio(own) - 1)]
  })
  return compared.length > 0 && compared.every((alike) => alike)
}
