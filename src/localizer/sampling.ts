// Draws that depend on what a row says, never on where it stands: the same table in another order, or with other dictionary ids, gives
// the same answer.
import type { Table } from './table.ts'

const scratch = new Float64Array(1)
const words = new Uint32Array(scratch.buffer)

/** A well-mixed 32-bit hash of a double and a seed (MurmurHash3's finalizer over both halves). */
export function hashNumber(value: number, seed: number): number {
  scratch[0] = value
  return mix(Math.imul((words[0] as number) ^ Math.imul(words[1] as number, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b), 0xcc9e2d51))
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Number columns that tell rows of one instant and one value apart. */
const TELLING_COLUMNS = 4

/** Writes the hash of each of `rows` into `draw`, which is one number per table row. */
export function drawRows(table: Table, value: Float64Array, rows: Int32Array, draw: Uint32Array): void {
  const names = [...table.numbers.keys()].sort().slice(0, TELLING_COLUMNS)
  const columns = [table.time, value, ...names.map((name) => table.numbers.get(name) as Float64Array)]
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as Float64Array
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number
      draw[row] = hashNumber(column[row] as number, (draw[row] as number) + index)
    }
  }
}

/** Samples that miss their size by more than this came from rows that are nearly all alike. */
const MISS = 0.5
/** So few rows miss their size by chance. */
const FEW = 100

/**
 * Positions in `rows` of about `limit` of them, chosen by their hash; all of them when they are few, and where so many are alike that
 * a hash cannot choose.
 */
export function samplePositions(draw: Uint32Array, rows: Int32Array, limit: number, seed: number): Int32Array {
  const kept = new Int32Array(rows.length)
  if (rows.length > limit) {
    const cut = (limit / rows.length) * 0x1_0000_0000
    const count = chooseInto(kept, draw, rows, Math.imul(seed, 0x9e3779b1), cut)
    if (limit < FEW || Math.abs(count - limit) <= MISS * limit) return kept.slice(0, count)
  }
  for (let at = 0; at < kept.length; at++) kept[at] = at
  return kept
}

function chooseInto(kept: Int32Array, draw: Uint32Array, rows: Int32Array, salt: number, cut: number): number {
  let count = 0
  for (let at = 0; at < rows.length; at++) {
    if (mix((draw[rows[at] as number] as number) ^ salt) < cut) kept[count++] = at
  }
  return count
}

/** The rows at samplePositions. */
export function sampleRows(draw: Uint32Array, rows: Int32Array, limit: number, seed: number): Int32Array {
  if (rows.length <= limit) return rows
  const at = samplePositions(draw, rows, limit, seed)
  for (let index = 0; index < at.length; index++) at[index] = rows[at[index] as number] as number
  return at
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
