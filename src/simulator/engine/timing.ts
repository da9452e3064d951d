// How long a step takes. Constants are milliseconds and thousands of tokens in the sources, seconds and tokens here.
// B sequences decode with mean context L; n new tokens are computed after p that are cached or computed already.

/** decode step = base + perSequence·B + perContextToken·B·L */
export interface DecodeTiming {
  base: number
  perSequence: number
  perContextToken: number
  /** Share of the step that is expert dispatch and combine (all-to-all), 0 where there is no expert parallelism. */
  communicationShare: number
  /** Share that is memory bandwidth (attention over the KV cache). */
  memoryShare: number
}

/** prefill pass = base + perToken·n + perSquare·[(p+n)² − p²], summed over the requests in the pass */
export interface PrefillTiming {
  base: number
  perToken: number
  perSquare: number
  /** What any chunk adds to a step of decoding, however short it is. */
  perChunk?: number
}

export interface EngineTiming {
  decode: DecodeTiming
  prefill: PrefillTiming
}

function decode(
  baseMs: number,
  perSequenceMs: number,
  perContextMs: number,
  communicationShare: number,
  memoryShare: number,
): DecodeTiming {
  return {
    base: baseMs / 1e3,
    perSequence: perSequenceMs / 1e3,
    perContextToken: perContextMs / 1e6,
    communicationShare,
    memoryShare,
  }
}

function prefill(baseMs: number, perKiloMs: number, perSquareMs: number): PrefillTiming {
  return { base: baseMs / 1e3, perToken: perKiloMs / 1e6, perSquare: perSquareMs / 1e9 }
}

/**
 * Fits over measured kernels of DeepSeek-V3 on H200 with SGLang's wide expert parallelism (aiconfigurator tables: decode MAPE 1.2 %,
 * prefill 0.3 %) and over published rows of other engines. Per layer at B 88 and L 5 k: attention 0.356, dispatch 0.120, combine 0.216,
 * experts 0.071, shared 0.026 ms, hence the communication share of 0.43.
 */
export const TIMINGS = {
  /** EP64 to EP128, balanced experts, no overlap. */
  'deepseek-wide-ep-decode': decode(14, 0.23, 0.0305, 0.43, 0.4),
  'deepseek-ep32-decode': decode(18.4, 0.185, 0.0308, 0.4, 0.4),
  'deepseek-ep32-prefill': prefill(54, 145, 3.1),
  'deepseek-ep16-prefill': prefill(55, 98, 3.1),
  'deepseek-ep8-prefill': prefill(52, 80, 3.2),
  /** Qwen3-8B on one node: prefill from Mooncake's P/D measurements, decode scaled from an 8 B model's KV bytes (128 KB a token). */
  'qwen3-8b-decode': decode(7, 0.05, 0.045, 0, 0.6),
  'qwen3-8b-prefill': prefill(10, 36, 0.4),
} as const

/** Seconds of one decode step of a rank with `sequences` and `contextTokens` in all of them together. */
export function decodeSeconds(timing: DecodeTiming, sequences: number, contextTokens: number): number {
  return timing.base + timing.perSequence * sequences + timing.perContextToken * contextTokens
}

/** Seconds that `tokens` new tokens after `past` ones add to a step, without the pass's base. */
export function chunkSeconds(timing: PrefillTiming, tokens: number, past: number): number {
  const end = past + tokens
  return timing.perToken * tokens + timing.perSquare * (end * end - past * past)
}
