// Draws that depend on what a row says, never on where it stands: the same table in another order gives the same answer.
import type { Table } from './table.ts'

/** A well-mixed 32-bit hash of a double and a seed (MurmurHash3's finalizer over both halves). */
const scratch = new Float64Array(1)
const words = new Uint32Array(scratch.buffer)

export function hashNumber(value: number, seed: number): number {
  scratch[0] = value
  let hash = Math.imul((words[0] as number) ^ Math.imul(words[1] as number, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b), 0xcc9e2d51)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** About `limit` of the rows, chosen by a hash of time and value; all of them when they are few. */
export function sampleRows(table: Table, rows: Int32Array, value: Float64Array, limit: number, seed: number): Int32Array {
  if (rows.length <= limit) return rows
  const cut = (limit / rows.length) * 0x1_0000_0000
  const kept = new Int32Array(rows.length)
  let count = 0
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    if (hashNumber((table.time[row] as number) + (value[row] as number) * 1e-3, seed) < cut) kept[count++] = row
  }
  return kept.slice(0, count)
}

/** A small seeded generator (mulberry32) for bootstraps. Numbers in [0, 1). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
