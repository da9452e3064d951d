// A smaller input of the same kind: a sample of the rows, masses as they are. For decisions that a sample can make.
import type { Side } from '../expectation/main-effects.ts'
import { samplePositions } from '../sampling.ts'
import { countsOf, type ScanInput, sumSide } from './candidate.ts'

const SEED = 41

/** At most about `limit` rows on each side. */
export function thin(input: ScanInput, limit: number): ScanInput {
  return withSides(input, thinSide(input.a, input.draw, limit), thinSide(input.b, input.draw, limit))
}

export function withSides(input: ScanInput, a: Side, b: Side): ScanInput {
  return { ...input, a, b, all: countsOf(sumSide(a), sumSide(b)) }
}

export function pickPositions(side: Side, at: ArrayLike<number>, count = at.length): Side {
  const rows = new Int32Array(count)
  const events = new Float32Array(count)
  const expected = new Float32Array(count)
  for (let index = 0; index < count; index++) {
    const position = at[index] as number
    rows[index] = side.rows[position] as number
    events[index] = side.events[position] as number
    expected[index] = side.expected[position] as number
  }
  return { rows, events, expected }
}

function thinSide(side: Side, draw: Uint32Array, limit: number): Side {
  return side.rows.length <= limit ? side : pickPositions(side, samplePositions(draw, side.rows, limit, SEED))
}
