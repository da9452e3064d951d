// Step 8c: what earlier answers mean for later ones: which slices are about the same rows, and which rows nothing explains yet.
import type { Side } from '../expectation/main-effects.ts'
import type { Scanned } from '../grouping/containment.ts'
import { type Candidate, membersOf, type ScanInput } from '../scan/candidate.ts'
import { pickPositions, withSides } from '../scan/thin.ts'

interface Named {
  candidate: Candidate
}

/** Rows of an earlier slice that a later one may have, of what chance leaves over. */
const MAX_OVERLAP = 0.4

/** Later answers must be about other rows: parts of an earlier slice only refine it. What any slice shares with it by chance is no part. */
export function overlapsEarlier(inputs: readonly ScanInput[], entry: Scanned, picks: readonly Named[]): boolean {
  const input = inputs[entry.level] as ScanInput
  const members = membersOf(input.a.rows, entry.candidate.literals, input.dimensions)
  return picks.some((pick) => {
    const taken = membersOf(input.a.rows, pick.candidate.literals, input.dimensions)
    let own = 0
    let both = 0
    let earlier = 0
    for (let at = 0; at < members.length; at++) {
      if (taken[at] === 1) earlier++
      if (members[at] !== 1) continue
      own++
      if (taken[at] === 1) both++
    }
    const byChance = earlier / Math.max(members.length, 1)
    return both > (byChance + MAX_OVERLAP * (1 - byChance)) * own
  })
}

/** The same rows without those that an earlier answer explains: how much slower the others are is not for the next one to answer for. */
export function unexplained(inputs: readonly ScanInput[], picks: readonly Named[]): readonly ScanInput[] {
  if (picks.length === 0) return inputs
  return inputs.map((input) => {
    const [a, b] = [input.a, input.b].map((side) => {
      const taken = picks.map(({ candidate }) => membersOf(side.rows, candidate.literals, input.dimensions))
      return pickPositions(side, outside(taken, side.rows.length))
    }) as [Side, Side]
    return withSides(input, a, b)
  })
}

/** Positions of the rows that are in none of the slices. */
function outside(taken: readonly Uint8Array[], rows: number): Int32Array {
  const left = new Int32Array(rows)
  let count = 0
  for (let at = 0; at < rows; at++) {
    let isFree = true
    for (let index = 0; isFree && index < taken.length; index++) isFree = (taken[index] as Uint8Array)[at] === 0
    if (isFree) left[count++] = at
  }
  return left.subarray(0, count)
}
