// Who sends requests: tenants with their own models, routes, client libraries, lengths and habits, drawn from a seed. A few tenants send
// most of the traffic (Zipf), each from one or two regions, as in ServeGen's per-tenant measurements.
import { Factor } from '../core/factor.ts'
import { RandomStream } from '../core/random.ts'
import { CLIENT_REGIONS, nearestRegion } from '../fleet/distances.ts'
import type { ServedModel } from '../fleet/fleet.ts'

export interface ClientProfile {
  region: string
  sdk: string
  sdkVersion: string
  timeoutSeconds: number
  /** Tries after the first one. */
  retries: number
}

export interface Tenant {
  index: number
  name: string
  tenantClass: string
  /** Share of the fleet's open-loop traffic. */
  share: number
  /** Shape of the Weibull inter-arrival times: 1 Poisson, below 1 bursty. */
  arrivalShape: number
  models: readonly { model: ServedModel; weight: number }[]
  adapters: readonly string[]
  routes: readonly { route: string; weight: number }[]
  clients: readonly { client: ClientProfile; weight: number }[]
  outputModes: readonly { mode: string; weight: number }[]
  /** Tokens of the system prompt, and how many different ones there are. */
  systemTokens: number
  templates: number
  /** Log-normal lengths of what a user adds, and of the answer. */
  promptMedian: number
  promptSigma: number
  outputMedian: number
  outputSigma: number
  /** Probability that a request continues a conversation. */
  continues: number
  /** Share of requests that their caller gives up on. */
  abortShare: number
  /** Calls itself again only when the last call has ended. */
  closedLoop: boolean

  rateScale: Factor
  promptScale: Factor
  outputScale: Factor
  acceptScale: Factor
  timeoutScale: Factor
  /** Replaces the client's number of retries while set. */
  retriesOverride: number | null
}

const SDKS = [
  { sdk: 'openai-python', versions: ['1.99.2', '2.3.0'] },
  { sdk: 'openai-node', versions: ['6.2.0', '7.57.0'] },
  { sdk: 'longpole-fetch', versions: ['0.1.0', '0.1.0'] },
  { sdk: 'litellm', versions: ['1.98.0', '1.106.2'] },
] as const

const CLASSES = ['interactive', 'interactive', 'standard', 'standard', 'batch'] as const

export function drawTenants(seed: number, models: readonly ServedModel[], regions: readonly string[], count = 16): Tenant[] {
  const random = new RandomStream(seed, 'tenants')
  // Not a power: engines of JavaScript differ in its last bits, and the same seed must give the same bytes.
  const weights = Array.from({ length: count }, (_, rank) => Math.exp(-0.9 * Math.log(rank + 2.2)))
  const total = weights.reduce((sum, share) => sum + share, 0)
  const cells = loadCells(models, regions)
  // Largest first, each to the cell that is emptiest for its size: pools are sized for what they serve.
  const tenants = weights.map((weight, rank) => {
    const cell = cells.reduce((best, entry) => (entry.load / entry.target < best.load / best.target ? entry : best))
    cell.load += weight / total
    return drawTenant(
      random,
      { rank, share: weight / total, model: cell.model, home: pickClientRegion(random, cell.region, regions) },
      models,
    )
  })
  const shuffled = random.shuffle(tenants)
  shuffled.push(agentTenant(random, models))
  return shuffled.map((tenant, index) => ({ ...tenant, index }))
}

interface LoadCell {
  model: ServedModel
  region: string
  target: number
  load: number
}

function loadCells(models: readonly ServedModel[], regions: readonly string[]): LoadCell[] {
  return models.flatMap((model) => regions.map((region) => ({ model, region, target: model.trafficShare / regions.length, load: 0 })))
}

/** A client's region whose traffic is served in `region`. */
function pickClientRegion(random: RandomStream, region: string, regions: readonly string[]): string {
  return random.pick(CLIENT_REGIONS.filter((client) => nearestRegion(client, regions) === region))
}

interface TenantPlace {
  rank: number
  share: number
  model: ServedModel
  home: string
}

function drawTenant(random: RandomStream, place: TenantPlace, models: readonly ServedModel[]): Tenant {
  const tenantClass = CLASSES[place.rank % CLASSES.length] as string
  const modelWeights = drawModels(random, models, place.model)
  const usesAdapters = modelWeights.some(({ model }) => model.adapters.length > 0)
  const pool = models.flatMap((model) => model.adapters)
  return {
    ...knobs(),
    index: 0,
    name: `t-${random.suffix(10)}`,
    tenantClass,
    share: place.share,
    arrivalShape: random.pick([1, 1, 0.7, 0.5]),
    models: modelWeights,
    adapters: usesAdapters && random.uniform() < 0.6 ? random.shuffle(pool).slice(0, 1 + random.integer(2)) : [],
    routes: drawRoutes(random),
    clients: drawClients(random, tenantClass, place.home),
    outputModes: [
      { mode: 'text', weight: random.between(0.5, 1) },
      { mode: 'json', weight: random.between(0, 0.4) },
      { mode: 'tool', weight: random.between(0, 0.3) },
    ],
    systemTokens: Math.round(random.between(150, 1_600)),
    templates: 1 + random.integer(3),
    promptMedian: random.between(160, 700),
    promptSigma: random.between(0.5, 0.9),
    outputMedian: random.between(90, 260),
    outputSigma: random.between(0.55, 0.85),
    continues: random.between(0.2, 0.6),
    abortShare: random.between(0.001, 0.008),
    closedLoop: false,
  }
}

/** Coding agents: long prompts that grow with every call, one call after another. */
function agentTenant(random: RandomStream, models: readonly ServedModel[]): Tenant {
  const model = models.find((entry) => entry.disaggregated) ?? (models[0] as ServedModel)
  return {
    ...knobs(),
    index: 0,
    name: `t-${random.suffix(10)}`,
    tenantClass: 'agents',
    share: 0,
    arrivalShape: 1,
    models: [{ model, weight: 1 }],
    adapters: [],
    routes: [{ route: '/v1/chat/completions', weight: 1 }],
    clients: drawClients(random, 'agents', random.pick(CLIENT_REGIONS)),
    outputModes: [
      { mode: 'tool', weight: 0.8 },
      { mode: 'text', weight: 0.2 },
    ],
    systemTokens: 5_000,
    templates: 1,
    promptMedian: 900,
    promptSigma: 0.9,
    outputMedian: 180,
    outputSigma: 0.8,
    continues: 1,
    abortShare: 0.002,
    closedLoop: true,
  }
}

function knobs() {
  return {
    rateScale: new Factor(),
    promptScale: new Factor(),
    outputScale: new Factor(),
    acceptScale: new Factor(),
    timeoutScale: new Factor(),
    retriesOverride: null,
  }
}

/** One main model and a side model; every model is the main one of some tenants. */
function drawModels(random: RandomStream, models: readonly ServedModel[], main: ServedModel) {
  const side = random.pick(models)
  // Reasoning is what a tenant is set up for, not a side line.
  if (side === main || side.reasoning) return [{ model: main, weight: 1 }]
  const weight = random.between(0.75, 0.95)
  return [
    { model: main, weight },
    { model: side, weight: 1 - weight },
  ]
}

function drawRoutes(random: RandomStream) {
  const routes = [{ route: '/v1/chat/completions', weight: random.between(0.6, 1) }]
  if (random.uniform() < 0.4) routes.push({ route: '/v1/completions', weight: random.between(0.1, 0.4) })
  if (random.uniform() < 0.4) routes.push({ route: '/v1/responses', weight: random.between(0.1, 0.5) })
  return routes
}

function drawClients(random: RandomStream, tenantClass: string, home: string) {
  const second = random.pick(CLIENT_REGIONS)
  const library = random.pick(SDKS)
  const timeoutSeconds = tenantClass === 'batch' || tenantClass === 'agents' ? 600 : random.pick([60, 120, 120])
  const retries = random.pick([0, 1, 2, 2])
  const versions = [library.versions[1], library.versions[0]]
  const clients: { client: ClientProfile; weight: number }[] = []
  for (const [region, share] of home === second
    ? ([[home, 1]] as const)
    : ([
        [home, 0.8],
        [second, 0.2],
      ] as const)) {
    versions.forEach((sdkVersion, versionIndex) => {
      const weight = share * (versionIndex === 0 ? 0.7 : 0.3)
      clients.push({ client: { region, sdk: library.sdk, sdkVersion, timeoutSeconds, retries }, weight })
    })
  }
  return clients
}
