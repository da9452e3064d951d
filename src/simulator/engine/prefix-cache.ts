// Prefix cache of one rank: an LRU over blocks, as vLLM's and SGLang's caches behave once a block is as good as its id (the id stands
// for all tokens up to and including the block). Blocks are touched from the leaf to the root, so a chain loses its tail first.
import { NumberTable } from '../core/number-table.ts'

/** Names the blocks of a prompt: equal id = equal prefix. */
export interface PrefixBlocks {
  /** Full blocks of the prompt. */
  readonly blockCount: number
  blockId(index: number): number
}

/** The ring's own entry: its `next` is the oldest block, its `previous` the youngest. */
const HEAD = 0

export class PrefixCache {
  readonly blockTokens: number
  /** Blocks taken out to make room, since the start. */
  evictions = 0
  private readonly slots = new NumberTable()
  private readonly free: number[] = []
  // A ring of slots in order of use; slot 0 is its head.
  private ids = new Float64Array(1024)
  private next = new Int32Array(1024)
  private previous = new Int32Array(1024)
  private used = 1

  constructor(blockTokens: number) {
    this.blockTokens = blockTokens
  }

  /** Tokens held. */
  get tokens(): number {
    return this.slots.size * this.blockTokens
  }

  /** Leading blocks of the prompt that are here. Changes nothing. */
  match(prompt: PrefixBlocks): number {
    const count = prompt.blockCount
    let matched = 0
    while (matched < count && this.slots.get(prompt.blockId(matched)) >= 0) matched++
    return matched
  }

  /** Puts all full blocks of the prompt at the young end. */
  insert(prompt: PrefixBlocks): void {
    this.insertLeading(prompt, prompt.blockCount)
  }

  /** The same for its first `count` blocks. */
  insertLeading(prompt: PrefixBlocks, count: number): void {
    for (let index = count - 1; index >= 0; index--) {
      const id = prompt.blockId(index)
      let slot = this.slots.get(id)
      if (slot < 0) {
        slot = this.takeSlot()
        this.ids[slot] = id
        this.slots.add(id, slot)
      } else this.unlink(slot)
      this.linkYoungest(slot)
    }
  }

  /** Evicts from the old end until at most `limitTokens` are held. */
  trim(limitTokens: number): void {
    const limit = Math.max(0, Math.floor(limitTokens / this.blockTokens))
    while (this.slots.size > limit) {
      const oldest = this.next[HEAD] as number
      this.unlink(oldest)
      this.slots.delete(this.ids[oldest] as number)
      this.free.push(oldest)
      this.evictions++
    }
  }

  clear(): void {
    this.slots.clear()
    this.free.length = 0
    this.used = 1
    this.next[HEAD] = HEAD
    this.previous[HEAD] = HEAD
  }

  private takeSlot(): number {
    const slot = this.free.pop() ?? this.used++
    if (slot === this.ids.length) this.grow()
    return slot
  }

  private unlink(slot: number): void {
    const before = this.previous[slot] as number
    const after = this.next[slot] as number
    this.next[before] = after
    this.previous[after] = before
  }

  private linkYoungest(slot: number): void {
    const youngest = this.previous[HEAD] as number
    this.next[youngest] = slot
    this.previous[slot] = youngest
    this.next[slot] = HEAD
    this.previous[HEAD] = slot
  }

  private grow(): void {
    const size = this.ids.length * 2
    const ids = new Float64Array(size)
    const next = new Int32Array(size)
    const previous = new Int32Array(size)
    ids.set(this.ids)
    next.set(this.next)
    previous.set(this.previous)
    this.ids = ids
    this.next = next
    this.previous = previous
  }
}
