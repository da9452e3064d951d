// Prefix cache of one rank: an LRU over blocks, as vLLM's and SGLang's caches behave once a block is as good as its id (the id stands
// for all tokens up to and including the block). Blocks are touched from the leaf to the root, so a chain loses its tail first.

/** Names the blocks of a prompt: equal id = equal prefix. */
export interface PrefixBlocks {
  /** Full blocks of the prompt. */
  readonly blockCount: number
  blockId(index: number): number
}

export class PrefixCache {
  readonly blockTokens: number
  private readonly entries = new Map<number, true>()
  /** Blocks taken out to make room, since the start. */
  evictions = 0

  constructor(blockTokens: number) {
    this.blockTokens = blockTokens
  }

  /** Tokens held. */
  get tokens(): number {
    return this.entries.size * this.blockTokens
  }

  /** Leading blocks of the prompt that are here. Changes nothing. */
  match(prompt: PrefixBlocks): number {
    const count = prompt.blockCount
    let matched = 0
    while (matched < count && this.entries.has(prompt.blockId(matched))) matched++
    return matched
  }

  /** Puts all full blocks of the prompt at the young end. */
  insert(prompt: PrefixBlocks): void {
    this.insertLeading(prompt, prompt.blockCount)
  }

  /** The same for its first `count` blocks. */
  insertLeading(prompt: PrefixBlocks, count: number): void {
    const { entries } = this
    for (let index = count - 1; index >= 0; index--) {
      const id = prompt.blockId(index)
      entries.delete(id)
      entries.set(id, true)
    }
  }

  /** Evicts from the old end until at most `limitTokens` are held. */
  trim(limitTokens: number): void {
    const limit = Math.max(0, Math.floor(limitTokens / this.blockTokens))
    if (this.entries.size <= limit) return
    for (const id of this.entries.keys()) {
      if (this.entries.size <= limit) break
      this.entries.delete(id)
      this.evictions++
    }
  }

  clear(): void {
    this.entries.clear()
  }
}
