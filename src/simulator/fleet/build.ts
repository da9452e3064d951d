// Draws a fleet from a seed and a plan (plan.ts). Dimensions are as correlated as in reality: a region buys one kind of GPU for a pool, a
// revision brings its engine version, a node has one model.
import { Addend, Factor } from '../core/factor.ts'
import { hashText, RandomStream } from '../core/random.ts'
import { Engine } from '../engine/engine.ts'
import type { EngineListener, SimQueue } from '../engine/listener.ts'
import { CLIENT_REGIONS } from './distances.ts'
import type { EngineSpec, Fleet, NetworkPath, Pool, Revision, ServedModel } from './fleet.ts'
import type { FleetPlan, ModelPlan, PartPlan } from './plan.ts'

export interface FleetOptions {
  seed: number
  plan: FleetPlan
  queue: SimQueue
  listener: EngineListener
  /** Virtual seconds at which the fleet has been up for a while already. */
  startedBefore: number
}

export function buildFleet(options: FleetOptions): Fleet {
  const random = new RandomStream(options.seed, 'fleet')
  const { regions, models } = options.plan
  const fleet: Fleet = {
    models: models.map((plan) => servedModel(plan, random)),
    pools: [],
    engines: [],
    gateways: [],
    regions,
    clientRegions: CLIENT_REGIONS,
    paths: new Map(CLIENT_REGIONS.map((region) => [region, networkPath(region)])),
  }
  regions.forEach((region, regionIndex) => {
    const clusters = [`${region}-${random.suffix(3)}`, `${region}-${random.suffix(3)}`]
    const zones = ['a', 'b', 'c'].map((letter) => `${region}-${letter}`)
    for (let index = 0; index < 2; index++) {
      fleet.gateways.push({ name: `gw-${random.suffix(5)}`, region, queueDelay: new Addend(), routeScale: new Factor() })
    }
    models.forEach((plan, planIndex) => {
      const model = fleet.models[planIndex] as ServedModel
      const pool: Pool = { model, region, engines: [], prefillEngines: [], policy: plan.policy, refreshSeconds: 0.1 }
      const home = clusters[planIndex % 2] as string
      const gpuType = plan.gpuTypes[regionIndex % plan.gpuTypes.length] as string
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
function revisionOf(plan: ModelPlan, index: number): Revision {
  const newer = index % 2
  return { name: `${plan.model}-r${40 + newer}`, engineVersion: plan.versions[newer] as string }
}

function servedModel(plan: ModelPlan, random: RandomStream): ServedModel {
  const adapters: string[] = []
  for (let index = 0; index < plan.adapters; index++) adapters.push(`lora-${random.suffix(6)}`)
  return {
    name: plan.model,
    kind: plan.kind,
    adapters,
    disaggregated: plan.parts.some((part) => part.role === 'prefill'),
    speculative: plan.speculation !== null,
    reasoning: plan.reasoning,
    trafficShare: plan.trafficShare,
  }
}

function networkPath(clientRegion: string): NetworkPath {
  return { clientRegion, extraRtt: new Addend(), loss: new Addend(), coldShare: new Addend(), dnsSeconds: new Addend() }
}

function specOf(plan: ModelPlan, part: PartPlan, placement: EngineSpec['placement'], revision: Revision, random: RandomStream): EngineSpec {
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
