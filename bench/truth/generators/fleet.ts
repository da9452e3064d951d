// A large fleet straight from columns: correlated dimensions (region › zone › cluster › node), 300 tenants, load waves, per-tenant hit
// ratios, a real queue per node (Lindley's recursion), so that load and faults propagate. Independent of the product's simulator.
import { START, type TruthCase } from '../case.ts'
import { ask, buildTable, type Row } from './columns.ts'
import { name, SIZES } from './fleet-names.ts'
import { createRandom, cumulate, type Random, zipf } from './random.ts'

export const FLEET_DIMENSIONS = [
  'region',
  'zone',
  'cluster',
  'node',
  'gpu_type',
  'model',
  'quantization',
  'engine',
  'engine_version',
  'revision',
  'tenant',
  'tenant_class',
  'route',
  'adapter',
  'client_region',
  'sdk',
  'sdk_version',
  'gateway',
  'prompt_class',
]
export const FLEET_PHASES = [
  'phase_client_upload',
  'phase_gateway_route',
  'phase_engine_tokenize',
  'phase_engine_queue',
  'phase_kv_transfer',
  'phase_engine_prefill',
  'phase_stream_network',
  'phase_engine_decode',
]
const NUMBERS = [
  'ttft',
  'e2e',
  'tpot',
  'prompt_tokens',
  'cached_tokens',
  'output_tokens',
  'preemptions',
  'adapter_loaded',
  'kv_bytes',
  ...FLEET_PHASES,
]

export interface FleetOptions {
  rows: number
  seconds: number
  incidentSeconds: number
  /** Add a tenant surge and an unrelated change of mix. */
  mixShift: boolean
}

export const FLEET_OPTIONS: FleetOptions = { rows: 60_000, seconds: 4_800, incidentSeconds: 900, mixShift: false }

/** One request while it is made; faults change its fields. */
export interface Call {
  at: number
  during: boolean
  region: number
  zone: number
  cluster: number
  node: number
  gpu: number
  model: number
  engine: number
  version: number
  revision: number
  tenant: number
  route: number
  adapter: number
  client: number
  sdk: number
  sdkVersion: number
  gateway: number
  prompt: number
  hit: number
  output: number
  /** Factors on compute, and seconds added to a phase. */
  compute: number
  decode: number
  transfer: number
  extra: { upload: number; gateway: number; tokenize: number; queue: number; back: number }
  preempted: boolean
  loaded: boolean
}

export interface FleetFault {
  family: string
  severity: number
  /** Draws who is hit. */
  prepare(random: Random, world: World): FleetEffect
}

export interface FleetEffect {
  truth: Omit<TruthCase['truth'], 'onset' | 'material'>
  request?(call: Call, random: Random): void
  /** Factor on a tenant's, model's or everybody's arrivals during the incident. */
  tenantWeight?(tenant: number): number
  modelWeight?(model: number): number
  rate?: number
  target?: string
}

export interface World {
  tenants: {
    weight: number
    route: number
    model: number
    client: number
    hit: number
    adapter: number
    prompt: number
    sdk: number
    sdkVersion: number
  }[]
  clusterOfModel: number[][]
  nodeBias: number[]
  gpuOf: number[]
  versionOf: number[]
}

export function fleetCase(fault: FleetFault, seed: number, options: FleetOptions = FLEET_OPTIONS): TruthCase {
  const random = createRandom(seed * 977 + 5)
  const world = createWorld(random)
  const effect = fault.prepare(random, world)
  const onset = START + options.seconds - options.incidentSeconds
  const end = START + options.seconds
  const rows = generate(world, effect, random, options, onset)
  const table = buildTable(rows, FLEET_DIMENSIONS, NUMBERS)
  const question = ask(effect.target ?? 'ttft', FLEET_DIMENSIONS, FLEET_PHASES, onset, end)
  const kind = effect.truth.kind
  const truth = { ...effect.truth, onset: kind === 'fault' || kind === 'fleet' ? onset : null, material: true }
  return { suite: options.mixShift ? 'fleet-mix' : 'fleet', family: fault.family, severity: fault.severity, seed, table, question, truth }
}

function createWorld(random: Random): World {
  const weights = zipf(SIZES.tenants, 0.9)
  const tenants = weights.map((weight) => ({
    weight,
    route: random.integer(SIZES.routes),
    model: random.pick(cumulate(zipf(SIZES.models, 0.7))),
    client: random.integer(SIZES.clients),
    hit: 0.1 + 0.75 * random.next(),
    adapter: random.next() < 0.3 ? 1 + random.integer(SIZES.adapters) : 0,
    prompt: Math.exp(6.3 + 0.6 * random.normal()),
    sdk: random.integer(3),
    sdkVersion: random.integer(3),
  }))
  const gpuOf = Array.from({ length: SIZES.clusters }, () => random.integer(3))
  const versionOf = Array.from({ length: SIZES.clusters }, () => 10 + random.integer(3))
  const clusterOfModel = Array.from({ length: SIZES.models }, (_, model) =>
    Array.from({ length: SIZES.clusters }, (_, cluster) => cluster).filter(
      (cluster) => cluster % SIZES.models === model || random.next() < 0.15,
    ),
  )
  const nodeBias = Array.from({ length: SIZES.nodes }, () => Math.exp(0.05 * random.normal()))
  return { tenants, clusterOfModel, nodeBias, gpuOf, versionOf }
}

function generate(world: World, effect: FleetEffect, random: Random, options: FleetOptions, onset: number): Row[] {
  const weightsBefore = cumulate(world.tenants.map((tenant) => tenant.weight))
  const surge = options.mixShift ? 3 + random.integer(8) : -1
  const weightsDuring = cumulate(
    world.tenants.map((tenant, id) => {
      const model = effect.modelWeight?.(tenant.model) ?? 1
      return tenant.weight * model * (effect.tenantWeight?.(id) ?? 1) * (id === surge ? 5 : 1)
    }),
  )
  const free = new Float64Array(SIZES.nodes)
  const rows: Row[] = []
  let at = START
  const rate = options.rows / options.seconds
  while (at < START + options.seconds) {
    const during = at >= onset
    const wave = 1 + 0.15 * Math.sin((at - START) / 700) + 0.1 * Math.sin((at - START) / 90)
    at += random.exponential() / (rate * wave * (during ? (effect.rate ?? 1) : 1))
    const call = drawCall(world, random, at, during, during ? weightsDuring : weightsBefore)
    if (during) effect.request?.(call, random)
    rows.push(serve(call, world, random, free))
  }
  return rows
}

function drawCall(world: World, random: Random, at: number, during: boolean, weights: number[]): Call {
  const tenantId = random.pick(weights)
  const tenant = world.tenants[tenantId] as World['tenants'][number]
  const model = random.next() < 0.8 ? tenant.model : random.integer(SIZES.models)
  const clusters = world.clusterOfModel[model] as number[]
  const cluster = clusters[random.integer(clusters.length)] as number
  const route = random.next() < 0.7 ? tenant.route : random.integer(SIZES.routes)
  return {
    at,
    during,
    cluster,
    zone: cluster >> 1,
    region: Math.floor(cluster / 6),
    node: cluster * 8 + random.integer(8),
    gpu: world.gpuOf[cluster] as number,
    model,
    engine: model % 2,
    version: world.versionOf[cluster] as number,
    revision: model,
    tenant: tenantId,
    route,
    adapter: tenant.adapter,
    client: random.next() < 0.6 ? tenant.client : random.integer(SIZES.clients),
    sdk: tenant.sdk,
    sdkVersion: random.next() < 0.8 ? tenant.sdkVersion : random.integer(3),
    gateway: random.integer(SIZES.gateways),
    prompt: Math.round(30 + tenant.prompt * (1 + route / 8) * Math.exp(0.5 * random.normal())),
    hit: Math.min(0.95, Math.max(0, tenant.hit + 0.15 * random.normal())),
    output: Math.round(5 + 180 * random.exponential()),
    compute: 1,
    decode: 1,
    transfer: 1,
    extra: { upload: 0, gateway: 0, tokenize: 0, queue: 0, back: 0 },
    preempted: false,
    loaded: false,
  }
}

function serve(call: Call, world: World, random: Random, free: Float64Array): Row {
  const gpuFactor = [1, 0.85, 1.7][call.gpu] as number
  const modelFactor = 0.6 + 0.25 * call.model
  const bias = world.nodeBias[call.node] as number
  const uncached = Math.max(32, call.prompt * (1 - call.hit))
  const noise = () => Math.exp(0.12 * random.normal())
  const prefill = (0.03 + uncached * 0.00022) * gpuFactor * modelFactor * bias * call.compute * noise()
  const rtt = 0.01 + 0.012 * Math.abs((call.client % 4) - call.region)
  const upload = rtt * (1 + 0.3 * random.exponential()) + call.extra.upload
  const gateway = 0.002 + 0.002 * random.exponential() + call.extra.gateway
  const tokenize = 0.002 + call.prompt * 3e-6 + call.extra.tokenize
  const arrived = call.at + upload + gateway + tokenize
  const start = Math.max(arrived, free[call.node] as number)
  // The rows are a twelfth of the traffic: each occupies its node for twelve.
  free[call.node] = start + prefill * 12
  const queue = start - arrived + 0.001 + call.extra.queue
  const kvBytes = call.prompt * 70_000
  const transfer = (0.002 + kvBytes / 2.5e10) * call.transfer * noise()
  const back = rtt * (1 + 0.3 * random.exponential()) + call.extra.back
  const tpot = 0.02 * gpuFactor ** 0.5 * modelFactor * call.decode * (1 + 0.1 * random.normal() ** 2) * bias
  const stall = call.preempted ? 1 + 2 * random.exponential() : 0
  const decode = tpot * call.output + stall
  const ttft = upload + gateway + tokenize + queue + transfer + prefill + back
  return {
    time: call.at,
    region: name.region(call.region),
    zone: name.zone(call.zone),
    cluster: name.cluster(call.cluster),
    node: name.node(call.node),
    gpu_type: name.gpu(call.gpu),
    model: name.model(call.model),
    quantization: call.model % 3 === 0 ? 'fp8' : 'bf16',
    engine: call.engine === 0 ? 'vllm' : 'sglang',
    engine_version: name.version(call.version),
    revision: name.revision(call.revision),
    tenant: name.tenant(call.tenant),
    tenant_class: call.tenant < 20 ? 'gold' : 'standard',
    route: name.route(call.route),
    adapter: name.adapter(call.adapter),
    client_region: name.client(call.client),
    sdk: `sdk${call.sdk}`,
    sdk_version: name.sdkVersion(call.sdk, call.sdkVersion),
    gateway: name.gateway(call.gateway),
    prompt_class: call.prompt <= 1024 ? '1k' : call.prompt <= 8192 ? '8k' : '32k',
    prompt_tokens: call.prompt,
    cached_tokens: Math.round(call.prompt - uncached),
    output_tokens: call.output,
    preemptions: call.preempted ? 1 : 0,
    adapter_loaded: call.loaded ? 1 : 0,
    kv_bytes: kvBytes,
    ttft,
    e2e: ttft + decode,
    tpot: call.output > 1 ? decode / (call.output - 1) : null,
    phase_client_upload: upload,
    phase_gateway_route: gateway,
    phase_engine_tokenize: tokenize,
    phase_engine_queue: queue,
    phase_kv_transfer: transfer,
    phase_engine_prefill: prefill,
    phase_stream_network: back,
    phase_engine_decode: decode,
  }
}
