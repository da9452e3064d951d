// A smaller input of the same kind: rows chosen by the hash of their time, masses as they are. For decisions that a sample can make.
import type { Side } from '../expectation/main-effects.ts'
import { hashNumber } from '../sampling.ts'
import type { ScanInput } from './candidate.ts'

const SEED = 41

/** At most about `limit` rows on each side. */
export function thin(input: ScanInput, time: Float64Array, limit: number): ScanInput {
  return withSides(input, thinSide(input.a, time, limit), thinSide(input.b, time, limit))
}

export function withSides(input: ScanInput, a: Side, b: Side): ScanInput {
  const all = { cA: total(a.events), xA: total(a.expected), cB: total(b.events), xB: total(b.expected) }
  return { ...input, a, b, all }
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

function thinSide(side: Side, time: Float64Array, limit: number): Side {
  if (side.rows.length <= limit) return side
  const cut = (limit / side.rows.length) * 0x1_0000_0000
  const at = new Int32Array(side.rows.length)
  let count = 0
  for (let index = 0; index < side.rows.length; index++) {
    if (hashNumber(time[side.rows[index] as number] as number, SEED) < cut) at[count++] = index
  }
  return pickPositions(side, at, count)
}

function total(values: Float32Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at] as number
  return sum
}
