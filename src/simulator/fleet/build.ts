// Draws a fleet from a seed: three regions, in each a prefill/decode pool of a DeepSeek-V3-class model (decode units are expert-parallel
// groups), a unified pool of a reasoning model of R1 class with speculative decoding, and a small model with LoRA adapters. Dimensions
// are as correlated as in reality: a region buys one kind of GPU for a pool, a revision brings its engine version, a node has one model.
import { Addend, Factor } from '../core/factor.ts'
import { hashText, RandomStream } from '../core/random.ts'
import { Engine } from '../engine/engine.ts'
import type { EngineListener, SimQueue } from '../engine/listener.ts'
import { type EngineTiming, TIMINGS } from '../engine/timing.ts'
import { CLIENT_REGIONS, SERVING_REGIONS } from './distances.ts'
import type { EngineKind, EngineSpec, Fleet, NetworkPath, Pool, Revision, Role, RouterPolicy, ServedModel } from './fleet.ts'

interface PoolPlan {
  model: string
  kind: EngineKind
  reasoning: boolean
  adapters: number
  policy: RouterPolicy
  gpuTypes: readonly string[]
  quantization: string
  versions: readonly [string, string]
  speculation: EngineSpec['speculation']
  kvBytesPerToken: number
  parts: readonly PartPlan[]
}

interface PartPlan {
  role: Role
  count: number
  ranks: number
  timing: EngineTiming
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

const PLANS: readonly PoolPlan[] = [
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
    parts: [{ role: 'both', count: 2, ranks: 1, timing: SMALL, kvTokens: 90_000, maxSequences: 96, maxBatchedTokens: 2_048 }],
  },
]

export interface FleetOptions {
  seed: number
  queue: SimQueue
  listener: EngineListener
  /** Virtual seconds at which the fleet has been up for a while already. */
  startedBefore: number
}

export function buildFleet(options: FleetOptions): Fleet {
  const random = new RandomStream(options.seed, 'fleet')
  const fleet: Fleet = {
    models: PLANS.map((plan) => servedModel(plan, random)),
    pools: [],
    engines: [],
    gateways: [],
    regions: SERVING_REGIONS,
    clientRegions: CLIENT_REGIONS,
    paths: new Map(CLIENT_REGIONS.map((region) => [region, networkPath(region)])),
  }
  SERVING_REGIONS.forEach((region, regionIndex) => {
    const clusters = [`${region}-${random.suffix(3)}`, `${region}-${random.suffix(3)}`]
    const zones = ['a', 'b', 'c'].map((letter) => `${region}-${letter}`)
    for (let index = 0; index < 2; index++) {
      fleet.gateways.push({ name: `gw-${random.suffix(5)}`, region, queueDelay: new Addend(), routeScale: new Factor() })
    }
    PLANS.forEach((plan, planIndex) => {
      const model = fleet.models[planIndex] as ServedModel
      const pool: Pool = { model, region, engines: [], prefillEngines: [], policy: plan.policy, refreshSeconds: 0.1 }
      const home = clusters[planIndex % 2] as string
      const gpuType = plan.gpuTypes[regionIndex] as string
      for (const part of plan.parts) {
        for (let index = 0; index < part.count; index++) {
          const zone = zones[(index + planIndex + random.integer(2)) % 3] as string
          const place = { cluster: home, region, zone, node: `${zone}-${random.suffix(4)}`, gpuType }
          const revision = revisionOf(plan, index)
          const engine = createEngine(options, specOf(plan, part, place, revision, random), random)
          if (part.role === 'prefill') pool.prefillEngines.push(engine)
          else pool.engines.push(engine)
          fleet.engines.push(engine)
        }
      }
      fleet.pools.push(pool)
    })
  })
  return fleet
}

/** The first of each part runs the older revision, later ones the newer: both are everywhere. */
function revisionOf(plan: PoolPlan, index: number): Revision {
  const newer = index % 2
  return { name: `${plan.model}-r${40 + newer}`, engineVersion: plan.versions[newer] as string }
}

function servedModel(plan: PoolPlan, random: RandomStream): ServedModel {
  const adapters: string[] = []
  for (let index = 0; index < plan.adapters; index++) adapters.push(`lora-${random.suffix(6)}`)
  return {
    name: plan.model,
    kind: plan.kind,
    adapters,
    disaggregated: plan.parts.some((part) => part.role === 'prefill'),
    speculative: plan.speculation !== null,
    reasoning: plan.reasoning,
  }
}

function networkPath(clientRegion: string): NetworkPath {
  return { clientRegion, extraRtt: new Addend(), loss: new Addend(), coldShare: new Addend(), dnsSeconds: new Addend() }
}

function specOf(plan: PoolPlan, part: PartPlan, placement: EngineSpec['placement'], revision: Revision, random: RandomStream): EngineSpec {
  const role = part.role === 'both' ? '' : `-${part.role}`
  const name = `${plan.model}${role}-${random.suffix(5)}`
  return {
    name,
    kind: plan.kind,
    role: part.role,
    model: plan.model,
    revision,
    placement,
    quantization: plan.quantization,
    flagsHash: (hashText(7, `${plan.model}${part.role}${part.maxBatchedTokens}`) % 0xffffff).toString(16).padStart(6, '0'),
    epGroup: part.ranks > 1 ? `ep-${random.suffix(4)}` : null,
    rankNames: part.ranks > 1 ? Array.from({ length: part.ranks }, (_, index) => `${name}-dp${index}`) : ['0'],
    timing: part.timing,
    kvTokens: part.kvTokens,
    kvBytesPerToken: plan.kvBytesPerToken,
    maxSequences: part.maxSequences,
    maxBatchedTokens: part.maxBatchedTokens,
    reserveOutputShare: plan.kind === 'sglang' ? 0.3 : 0,
    speculation: part.role === 'prefill' ? null : plan.speculation,
    silicon: 1 + 0.015 * random.normal(),
    linkBytesPerSecond: 40e9,
    adapterSlots: plan.adapters > 0 ? 8 : 0,
    hostTierTokens: part.role === 'prefill' ? 4 * part.kvTokens : 0,
  }
}

function createEngine(options: FleetOptions, spec: EngineSpec, random: RandomStream): Engine {
  const age = random.between(3 * 3600, 9 * 24 * 3600)
  return new Engine(spec, options.queue, options.listener, hashText(options.seed, spec.name), options.startedBefore - age)
}
