// What a fleet is drawn from: its regions and models, and for each model the replicas of a region. The one that everything is tried on is
// here; `longpole simulate --fleet` reads others from a file.
import { type EngineTiming, TIMINGS } from '../engine/timing.ts'
import { SERVING_REGIONS } from './distances.ts'
import type { EngineKind, EngineSpec, Role, RouterPolicy } from './fleet.ts'

export interface FleetPlan {
  /** Serving regions, of the table of distances. Every one has every model. */
  regions: readonly string[]
  models: readonly ModelPlan[]
}

export interface ModelPlan {
  model: string
  kind: EngineKind
  reasoning: boolean
  /** LoRA adapters that callers may name. */
  adapters: number
  policy: RouterPolicy
  /** By region, from the start again where there are more regions. */
  gpuTypes: readonly string[]
  quantization: string
  /** Engine versions of the older and the newer revision. */
  versions: readonly [string, string]
  speculation: EngineSpec['speculation']
  kvBytesPerToken: number
  /** Share of the open-loop traffic that the model is sized for. */
  trafficShare: number
  parts: readonly PartPlan[]
}

/** Replicas of one role in each region. */
export interface PartPlan {
  role: Role
  count: number
  /** Data-parallel ranks that step together. */
  ranks: number
  timing: EngineTiming
  /** Of one rank, as the two below. */
  kvTokens: number
  maxSequences: number
  maxBatchedTokens: number
}

const WIDE_EP: EngineTiming = { decode: TIMINGS['deepseek-wide-ep-decode'], prefill: TIMINGS['deepseek-ep8-prefill'] }
const NODE_EP: EngineTiming = { decode: TIMINGS['deepseek-ep32-decode'], prefill: TIMINGS['deepseek-ep8-prefill'] }
const SMALL: EngineTiming = { decode: TIMINGS['qwen3-8b-decode'], prefill: TIMINGS['qwen3-8b-prefill'] }

/** Bytes of KV a token: multi-head latent attention (512 + 64) × 61 layers × 2, grouped-query 8 B model 2 × 36 × 8 × 128 × 2. */
const MLA_BYTES = 70_272
const GQA_BYTES = 147_456

/**
 * Three regions, in each a prefill/decode pool of a DeepSeek-V3-class model (decode units are expert-parallel groups), a unified pool of a
 * reasoning model of R1 class with speculative decoding, and a small model with LoRA adapters.
 */
export const DEFAULT_FLEET: FleetPlan = {
  regions: SERVING_REGIONS,
  models: [
    {
      model: 'deepseek-v3',
      kind: 'sglang',
      reasoning: false,
      adapters: 0,
      policy: 'prefix_affinity',
      gpuTypes: ['H800', 'H20', 'H200'],
      quantization: 'fp8',
      versions: ['0.5.21', '0.5.23'],
      speculation: { drafts: 1, acceptance: 0.85 },
      kvBytesPerToken: MLA_BYTES,
      trafficShare: 0.48,
      parts: [
        { role: 'prefill', count: 2, ranks: 1, timing: WIDE_EP, kvTokens: 260_000, maxSequences: 64, maxBatchedTokens: 16_384 },
        { role: 'decode', count: 2, ranks: 4, timing: WIDE_EP, kvTokens: 110_000, maxSequences: 48, maxBatchedTokens: 8_192 },
      ],
    },
    {
      model: 'deepseek-r1',
      kind: 'vllm',
      reasoning: true,
      adapters: 0,
      policy: 'prefix_affinity',
      gpuTypes: ['H800', 'H200', 'H200'],
      quantization: 'fp8',
      versions: ['0.31.2', '0.32.0'],
      speculation: { drafts: 1, acceptance: 0.82 },
      kvBytesPerToken: MLA_BYTES,
      trafficShare: 0.1,
      parts: [{ role: 'both', count: 2, ranks: 1, timing: NODE_EP, kvTokens: 220_000, maxSequences: 128, maxBatchedTokens: 4_096 }],
    },
    {
      model: 'qwen3-8b',
      kind: 'vllm',
      reasoning: false,
      adapters: 10,
      policy: 'least_loaded',
      gpuTypes: ['L40S', 'L40S', 'A100'],
      quantization: 'bf16',
      versions: ['0.31.2', '0.32.0'],
      speculation: null,
      kvBytesPerToken: GQA_BYTES,
      trafficShare: 0.42,
      parts: [{ role: 'both', count: 2, ranks: 1, timing: SMALL, kvTokens: 90_000, maxSequences: 96, maxBatchedTokens: 2_048 }],
    },
  ],
}
