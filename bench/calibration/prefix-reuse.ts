// Prefix-cache hit ratio of the modelled engine on a trace of block ids, against the LRU bound computed from the ids alone.
import { readFileSync } from 'node:fs'
import { TIMINGS } from '../../src/simulator/engine/timing.ts'
import { type Arrival, PLAIN_SPEC, serveAlone } from './lone-engine.ts'

/** Tokens of a block in Mooncake's traces. */
const BLOCK_TOKENS = 512

interface TraceRow {
  timestamp: number
  input_length: number
  output_length: number
  hash_ids: number[]
}

export interface ReuseScore {
  kvTokens: number
  bound: number
  simulated: number
}

export function scoreReuse(path: string, capacities: readonly number[]): ReuseScore[] {
  const rows = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index): TraceRow => {
      try {
        return JSON.parse(line)
      } catch (error) {
        throw new Error(`${path}:${index + 1}: not JSON: ${(error as Error).message}`)
      }
    })
  return capacities.map((kvTokens) => ({ kvTokens, bound: lruBound(rows, kvTokens), simulated: simulatedRatio(rows, kvTokens) }))
}

/** A plain LRU over block ids, everything known at once: leading blocks that are there count. */
function lruBound(rows: readonly TraceRow[], kvTokens: number): number {
  const limit = Math.floor(kvTokens / BLOCK_TOKENS)
  const held = new Map<number, true>()
  let hits = 0
  let tokens = 0
  for (const { hash_ids, input_length } of rows) {
    const full = fullBlocks(hash_ids, input_length)
    let matched = 0
    while (matched < full.length && held.has(full[matched] as number)) matched++
    hits += matched * BLOCK_TOKENS
    tokens += input_length
    for (let index = full.length - 1; index >= 0; index--) {
      held.delete(full[index] as number)
      held.set(full[index] as number, true)
    }
    for (const id of held.keys()) {
      if (held.size <= limit) break
      held.delete(id)
    }
  }
  return hits / tokens
}

function simulatedRatio(rows: readonly TraceRow[], kvTokens: number): number {
  // Ticks of three seconds: requests are spread over their tick, in order.
  const arrivals: Arrival[] = rows.map(({ timestamp, input_length, hash_ids }, index) => ({
    at: timestamp / 1e3 + 3 * ((index * 0.618_034) % 1),
    promptTokens: input_length,
    outputTokens: 1,
    blocks: fullBlocks(hash_ids, input_length),
  }))
  const fast = { base: 0.001, perToken: 1e-6, perSquare: 0 }
  const spec = {
    ...PLAIN_SPEC,
    role: 'prefill' as const,
    rankNames: ['0'],
    timing: { decode: TIMINGS['deepseek-wide-ep-decode'], prefill: fast },
    kvTokens,
    blockTokens: BLOCK_TOKENS,
    maxSequences: 64,
    maxBatchedTokens: 65_536,
  }
  const { engine } = serveAlone(spec, arrivals, 1)
  const counters = (engine.ranks[0] as (typeof engine.ranks)[number]).counters
  return counters.cachedTokens / counters.promptTokens
}

/** The last block of a prompt is usually a part and cannot be reused. */
function fullBlocks(ids: readonly number[], inputLength: number): number[] {
  return ids.slice(0, Math.floor(inputLength / BLOCK_TOKENS))
}
