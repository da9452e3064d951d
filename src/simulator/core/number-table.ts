// A hash table from numbers to small integers in two typed arrays: what a Map would do, without a boxed key for each of the millions of
// block ids of a run. Open addressing with linear probing; removal shifts back, so there are no tombstones.

/** Keys are never negative, so this marks an empty place. */
const EMPTY = -1
/** Places in use at most, of all places. */
const MAX_LOAD = 0.5

export class NumberTable {
  size = 0
  private keys = new Float64Array(2048).fill(EMPTY)
  private values = new Int32Array(2048)
  private mask = 2047

  /** The value, -1 where there is none. */
  get(key: number): number {
    const { keys, mask } = this
    for (let place = placeOf(key, mask); ; place = (place + 1) & mask) {
      const held = keys[place] as number
      if (held === key) return this.values[place] as number
      if (held === EMPTY) return -1
    }
  }

  /** `key` is a whole number from 0 to 2^53, not in the table yet. */
  add(key: number, value: number): void {
    if (this.size + 1 > MAX_LOAD * this.keys.length) this.grow()
    this.put(key, value)
    this.size++
  }

  delete(key: number): void {
    const { keys, values, mask } = this
    let place = placeOf(key, mask)
    while (keys[place] !== key) {
      if (keys[place] === EMPTY) return
      place = (place + 1) & mask
    }
    this.size--
    // Whoever stands behind the gap and would rather stand in it moves there.
    for (let next = (place + 1) & mask; keys[next] !== EMPTY; next = (next + 1) & mask) {
      const home = placeOf(keys[next] as number, mask)
      if (((next - home) & mask) < ((next - place) & mask)) continue
      keys[place] = keys[next] as number
      values[place] = values[next] as number
      place = next
    }
    keys[place] = EMPTY
  }

  clear(): void {
    this.keys.fill(EMPTY)
    this.size = 0
  }

  private put(key: number, value: number): void {
    const { keys, mask } = this
    let place = placeOf(key, mask)
    while (keys[place] !== EMPTY) place = (place + 1) & mask
    keys[place] = key
    this.values[place] = value
  }

  private grow(): void {
    const { keys, values } = this
    this.keys = new Float64Array(keys.length * 2).fill(EMPTY)
    this.values = new Int32Array(keys.length * 2)
    this.mask = keys.length * 2 - 1
    for (let place = 0; place < keys.length; place++) {
      if (keys[place] !== EMPTY) this.put(keys[place] as number, values[place] as number)
    }
  }
}

function placeOf(key: number, mask: number): number {
  const high = Math.floor(key / 4_294_967_296)
  const mixed = Math.imul((key - high * 4_294_967_296) ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) & mask
}
