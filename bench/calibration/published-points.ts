// Published operating points of DeepSeek-V3-class services, against the engine model run at those points without any fitting.

import { TIMINGS } from '../../src/simulator/engine/timing.ts'
import type { EngineSpec } from '../../src/simulator/fleet/fleet.ts'
import { type Arrival, PLAIN_SPEC, serveAlone } from './lone-engine.ts'

export interface PointScore {
  point: string
  source: string
  published: number
  simulated: number
  allowed: number
}

const GPUS_PER_NODE = 8
/** Tokens that each sequence of a steady batch decodes while it is measured. */
const MEASURED_TOKENS = 400

export function scorePoints(): PointScore[] {
  const service = steadyBatch(88, 4_989, null)
  const sglang = steadyBatch(256, 2_000, null)
  const speculative = steadyBatch(128, 4_000, { drafts: 1, acceptance: 0.6 })
  const day = 'open-infra-index, day 6'
  const blog = 'lm-sys blog 2025-05-05, large-scale EP'
  return [
    { point: 'DeepSeek service, tokens/s per user', source: day, published: 21, simulated: service.perUser, allowed: 0.05 },
    { point: 'DeepSeek service, decode tokens/s per node', source: day, published: 14_800, simulated: service.perNode, allowed: 0.05 },
    { point: 'SGLang decode, batch 256, 2 k', source: blog, published: 22_282, simulated: sglang.perNode, allowed: 0.15 },
    { point: 'SGLang decode with MTP, batch 128, 4 k', source: blog, published: 17_373, simulated: speculative.perNode, allowed: 0.15 },
  ]
}

/** One rank (one GPU) with `batch` sequences whose mean context is `context` while they decode. */
function steadyBatch(batch: number, context: number, speculation: EngineSpec['speculation']): { perUser: number; perNode: number } {
  const spec: EngineSpec = {
    ...PLAIN_SPEC,
    rankNames: ['0'],
    timing: { decode: TIMINGS['deepseek-wide-ep-decode'], prefill: { base: 1e-6, perToken: 1e-12, perSquare: 0 } },
    kvTokens: 1e9,
    maxSequences: batch,
    maxBatchedTokens: 1e9,
    speculation,
  }
  const arrivals: Arrival[] = Array.from({ length: batch }, () => ({
    at: 0,
    promptTokens: context - MEASURED_TOKENS / 2,
    outputTokens: MEASURED_TOKENS + 1,
  }))
  const { served } = serveAlone(spec, arrivals, 1)
  const pace = served.reduce((sum, { tpot }) => sum + tpot, 0) / served.length
  return { perUser: 1 / pace, perNode: (GPUS_PER_NODE * batch) / pace }
}
