// What a fleet is made of. Plain data that build.ts draws from a seed; engines and routers run on it.
import type { Addend, Factor } from '../core/factor.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineTiming } from '../engine/timing.ts'

export type EngineKind = 'vllm' | 'sglang' | 'dynamo'
export type Role = 'both' | 'prefill' | 'decode'

export interface Revision {
  name: string
  engineVersion: string
}

/** Where a replica runs and what it is, as dimensions of its requests. */
export interface Placement {
  cluster: string
  region: string
  zone: string
  node: string
  gpuType: string
}

export interface EngineSpec {
  name: string
  kind: EngineKind
  role: Role
  model: string
  revision: Revision
  placement: Placement
  quantization: string
  flagsHash: string
  epGroup: string | null
  rankNames: readonly string[]
  timing: EngineTiming
  /** KV memory of one rank. */
  kvTokens: number
  kvBytesPerToken: number
  /** Of one rank. */
  maxSequences: number
  maxBatchedTokens: number
  /** Share of the tokens still allowed that admission sets aside (SGLang's new-token ratio); 0 as in vLLM. */
  reserveOutputShare: number
  speculation: { drafts: number; acceptance: number } | null
  /** This piece of silicon's own speed, about 1 ± 3 %. */
  silicon: number
  /** Bytes a second of the link KV leaves on. */
  linkBytesPerSecond: number
  adapterSlots: number
  /** Tokens of KV that host memory keeps; 0: no such tier. */
  hostTierTokens: number
}

export interface ServedModel {
  name: string
  kind: EngineKind
  adapters: readonly string[]
  disaggregated: boolean
  speculative: boolean
  reasoning: boolean
  /** Share of the open-loop traffic that it is sized for. */
  trafficShare: number
}

export type RouterPolicy = 'round_robin' | 'least_loaded' | 'prefix_affinity'

/** The replicas of one model in one region, with their router. */
export interface Pool {
  model: ServedModel
  region: string
  /** `both` engines, or the decode side. */
  engines: Engine[]
  prefillEngines: Engine[]
  policy: RouterPolicy
  /** Seconds between refreshes of the load counts the router sees. */
  refreshSeconds: number
}

export interface Gateway {
  name: string
  region: string
  /** Extra seconds a request waits for admission, and for the routing decision. */
  queueDelay: Addend
  routeScale: Factor
}

/** The path from clients of one region with one library. */
export interface NetworkPath {
  clientRegion: string
  extraRtt: Addend
  /** Probability that a packet of a stream is lost and later ones wait for it. */
  loss: Addend
  /** Share of requests on a new connection, on top of the usual one. */
  coldShare: Addend
  dnsSeconds: Addend
}

export interface Fleet {
  models: ServedModel[]
  pools: Pool[]
  engines: Engine[]
  gateways: Gateway[]
  /** Serving regions. */
  regions: readonly string[]
  clientRegions: readonly string[]
  paths: Map<string, NetworkPath>
}
