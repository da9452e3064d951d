// One data-parallel rank of an engine: its own waiting line, its own KV memory and prefix cache. Ranks of one engine step together.
import { Factor } from '../core/factor.ts'
import { BLOCK_TOKENS, type SimRequest } from '../core/request.ts'
import { RankCounters } from './counters.ts'
import { PrefixCache } from './prefix-cache.ts'

export class Rank {
  readonly name: string
  readonly index: number
  /** KV memory in tokens, before faults. */
  readonly kvCapacity: number
  readonly cache = new PrefixCache(BLOCK_TOKENS)
  readonly waiting: SimRequest[] = []
  /** Admitted, prompt not yet computed. */
  readonly prefilling: SimRequest[] = []
  /** Decoding, in order of admission: preemption takes from the tail. */
  readonly running: SimRequest[] = []

  /** Tokens in all contexts of decoding sequences, at the engine's current step. */
  contextTokens = 0
  /** Tokens by which `contextTokens` grows in a step. */
  growth = 0
  /** Tokens held for prompts being computed, or held until a KV transfer has ended. */
  reservedTokens = 0
  /** Prompt tokens of decoding sequences that are also in the prefix cache's blocks. */
  sharedTokens = 0

  /** What it usually holds, over the last half minute or so. */
  typicalTokens = 0
  counters = new RankCounters()
  readonly prefillScale = new Factor()
  readonly decodeScale = new Factor()
  readonly kvScale = new Factor()
  readonly cacheScale = new Factor()
  readonly clockScale = new Factor()
  throttleReason: string | null = null
  /** Below 1 the balancer inside the engine prefers this rank. */
  readonly bias = new Factor()

  constructor(name: string, index: number, kvCapacity: number) {
    this.name = name
    this.index = index
    this.kvCapacity = kvCapacity
  }

  get capacity(): number {
    return this.kvCapacity * this.kvScale.value
  }

  get usedTokens(): number {
    return this.contextTokens + this.reservedTokens
  }

  get usage(): number {
    return Math.min(1, this.usedTokens / this.capacity)
  }

  /** Makes the prefix cache fit beside what sequences hold alone. */
  trimCache(): void {
    const own = this.contextTokens - this.sharedTokens
    this.cache.trim((this.capacity - Math.max(0, own)) * this.cacheScale.value)
  }

  /** A crash or a restart: everything is gone. */
  clear(): void {
    this.waiting.length = 0
    this.prefilling.length = 0
    this.running.length = 0
    this.contextTokens = 0
    this.growth = 0
    this.reservedTokens = 0
    this.sharedTokens = 0
    this.cache.clear()
  }
}
