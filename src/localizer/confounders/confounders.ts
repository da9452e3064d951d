// Step 5b: the checks of mantel-haenszel.ts over all other dimensions, and over pairs of those whose mix moved most.

import { roleOf } from '../roles.ts'
import { type Candidate, membersOf, type ScanInput } from '../scan/candidate.ts'
import type { DimensionColumn } from '../table.ts'
import { type AdjustedRise, poolStrata, type Strata, strataBy, strataByPair } from './mantel-haenszel.ts'

export interface ConfounderCheck {
  /** The weakest adjusted score, divided by the slice's over-dispersion. */
  score: number
  /** The smallest adjusted rate ratio. */
  ratio: number
  /** Dimension whose mix explains the rise away, if any. */
  explainedBy: string | null
}

/** Below this adjusted score a rise is a mix shift. z ≈ 3.2. */
export const MIN_ADJUSTED_SCORE = 5
const MIN_COVERED = 0.5
const JOINT_DIMENSIONS = 3
const JOINT_CELLS = 200_000

export function checkConfounders(input: ScanInput, candidate: Candidate): ConfounderCheck {
  const membersA = positions(membersOf(input.a.rows, candidate.literals, input.dimensions))
  const membersB = positions(membersOf(input.b.rows, candidate.literals, input.dimensions))
  const inSlice = new Set(candidate.literals.map((literal) => literal.dimension))
  const check: ConfounderCheck = { score: Number.POSITIVE_INFINITY, ratio: Number.POSITIVE_INFINITY, explainedBy: null }
  const shifted: { dimension: DimensionColumn; divergence: number }[] = []
  for (let index = 0; index < input.dimensions.length; index++) {
    const dimension = input.dimensions[index] as DimensionColumn
    if (inSlice.has(index) && (candidate.literals.find((literal) => literal.dimension === index)?.values.length ?? 0) < 2) continue
    const strata = strataBy(dimension, input.a, membersA, input.b, membersB)
    note(check, poolStrata(strata), dimension.name, candidate)
    const divergence = mixDivergence(strata, membersA.length, membersB.length)
    if (divergence > 0) shifted.push({ dimension, divergence })
  }
  shifted.sort((left, right) => right.divergence - left.divergence || (left.dimension.name < right.dimension.name ? -1 : 1))
  const most = shifted[0]
  if (most === undefined) return check
  for (const other of shifted.slice(1, 1 + JOINT_DIMENSIONS)) {
    if ((most.dimension.values.length + 1) * (other.dimension.values.length + 1) > JOINT_CELLS) continue
    const strata = strataByPair(most.dimension, other.dimension, input.a, membersA, input.b, membersB)
    note(check, poolStrata(strata), `${most.dimension.name} × ${other.dimension.name}`, candidate)
  }
  return check
}

/** Strata without any baseline say nothing about parts of the fleet (a new revision), but a new tenant is a mix shift. */
function note(check: ConfounderCheck, rise: AdjustedRise, name: string, candidate: Candidate): void {
  if (rise.covered < MIN_COVERED && (candidate.fresh === true || roleOf(name.split(' ')[0] ?? name) === 'fleet')) return
  const score = rise.score / candidate.phi
  if (rise.ratio < check.ratio) check.ratio = rise.ratio
  if (score >= check.score) return
  check.score = score
  check.explainedBy = score < MIN_ADJUSTED_SCORE ? name : null
}

/** Jensen-Shannon divergence of the slice's mix above its sampling bias, (K − 1)/4·(1/n_A + 1/n_B)·3. */
function mixDivergence(strata: Strata, nA: number, nB: number): number {
  const totalA = strata.xA.reduce((sum, value) => sum + value, 0)
  const totalB = strata.xB.reduce((sum, value) => sum + value, 0)
  if (totalA <= 0 || totalB <= 0) return 0
  let divergence = 0
  let used = 0
  for (let index = 0; index < strata.xA.length; index++) {
    const p = (strata.xA[index] as number) / totalA
    const q = (strata.xB[index] as number) / totalB
    if (p + q === 0) continue
    used++
    const middle = (p + q) / 2
    if (p > 0) divergence += (p / 2) * Math.log(p / middle)
    if (q > 0) divergence += (q / 2) * Math.log(q / middle)
  }
  return divergence - ((used - 1) / 4) * (1 / Math.max(nA, 1) + 1 / Math.max(nB, 1)) * 3
}

export function positions(members: Uint8Array): Int32Array {
  const found = new Int32Array(members.length)
  let count = 0
  for (let at = 0; at < members.length; at++) if (members[at] === 1) found[count++] = at
  return found.slice(0, count)
}
