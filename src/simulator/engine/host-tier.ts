// KV of prompts in host memory: larger than the GPU's cache, and what is found only here has to be loaded before prefill.
import { BLOCK_TOKENS, type SimRequest } from '../core/request.ts'
import { PrefixCache } from './prefix-cache.ts'
import type { Rank } from './rank.ts'

/** Host to GPU; the DMA engines measure 83 GB/s, one of several ranks gets about a quarter. */
const LOAD_BYTES_PER_SECOND = 20e9
const LOAD_START_SECONDS = 0.001

export class HostTier {
  private readonly cache = new PrefixCache(BLOCK_TOKENS)
  private readonly limitTokens: number

  constructor(limitTokens: number) {
    this.limitTokens = limitTokens
  }

  keep(request: SimRequest): void {
    this.cache.insert(request)
    this.cache.trim(this.limitTokens)
  }

  /** Tokens of the prompt that are here and not on the GPU; they are put there. */
  load(request: SimRequest, rank: Rank): number {
    const onDevice = rank.cache.match(request)
    const here = this.cache.match(request)
    if (here <= onDevice) return 0
    rank.cache.insertLeading(request, here)
    return (here - onDevice) * BLOCK_TOKENS
  }

  seconds(tokens: number, bytesPerToken: number): number {
    return LOAD_START_SECONDS + (tokens * bytesPerToken) / LOAD_BYTES_PER_SECOND
  }
}
