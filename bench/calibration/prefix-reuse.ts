// Prefix-cache hit ratio of the modelled engine on a trace of block ids, against the LRU bound computed from the ids alone.
import { readFileSync } from 'node:fs'
import { BLOCK_TOKENS } from '../../src/simulator/core/request.ts'
import { TIMINGS } from '../../src/simulator/engine/timing.ts'
import { parseTrace, type TraceRow } from '../../src/simulator/workload/trace.ts'
import { type Arrival, PLAIN_SPEC, serveAlone } from './lone-engine.ts'

export interface ReuseScore {
  kvTokens: number
  bound: number
  simulated: number
}

export function scoreReuse(path: string, capacities: readonly number[]): ReuseScore[] {
  const rows = parseTrace(path, readFileSync(path, 'utf8'))
  return capacities.map((kvTokens) => ({ kvTokens, bound: lruBound(rows, kvTokens), simulated: simulatedRatio(rows, kvTokens) }))
}

/** A plain LRU over block ids, everything known at once: leading blocks that are there count. */
function lruBound(rows: readonly TraceRow[], kvTokens: number): number {
  const limit = Math.floor(kvTokens / BLOCK_TOKENS)
  const held = new Map<number, true>()
  let hits = 0
  let tokens = 0
  for (const row of rows) {
    const full = blocksOf(row)
    let matched = 0
    while (matched < full.length && held.has(full[matched] as number)) matched++
    hits += matched * BLOCK_TOKENS
    tokens += row.promptTokens
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
  const arrivals: Arrival[] = rows.map((row) => ({ at: row.at, promptTokens: row.promptTokens, outputTokens: 1, blocks: blocksOf(row) }))
  const fast = { base: 0.001, perToken: 1e-6, perSquare: 0 }
  const spec = {
    ...PLAIN_SPEC,
    role: 'prefill' as const,
    rankNames: ['0'],
    timing: { decode: TIMINGS['deepseek-wide-ep-decode'], prefill: fast },
    kvTokens,
    maxSequences: 64,
    maxBatchedTokens: 65_536,
  }
  const { engine } = serveAlone(spec, arrivals, 1)
  const counters = (engine.ranks[0] as (typeof engine.ranks)[number]).counters
  return counters.cachedTokens / counters.promptTokens
}

/** Only Mooncake's traces come here, and they have blocks: the full ones of each prompt. */
function blocksOf({ blocks }: TraceRow): readonly number[] {
  return blocks ?? []
}
