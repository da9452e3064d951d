// Fault and shift families of the large fleet. Each draws its own victim; severity 1 is clearly material, 0.5 is near the noise.
import type { Slice } from '@longpole/model/finding'
import type { Call, FleetEffect, FleetFault, World } from './fleet.ts'
import { name, SIZES } from './fleet-names.ts'
import type { Random } from './random.ts'

type Draw = { slice: Slice; hits(call: Call): boolean }

function fault(
  family: string,
  severity: number,
  phases: string[],
  mechanisms: string[],
  draw: (random: Random, world: World) => Draw,
  apply: (call: Call, random: Random, severity: number) => void,
  target = 'ttft',
): FleetFault {
  return {
    family,
    severity,
    prepare(random, world): FleetEffect {
      const { slice, hits } = draw(random, world)
      return {
        target,
        truth: { kind: 'fault', slices: [slice], phases, mechanisms, moved: [] },
        request(call, draws) {
          if (hits(call)) apply(call, draws, severity)
        },
      }
    },
  }
}

const oneNode = (random: Random): Draw => {
  const node = random.integer(SIZES.nodes)
  return { slice: { node: [name.node(node)] }, hits: (call) => call.node === node }
}
const twoNodes = (random: Random): Draw => {
  const first = random.integer(SIZES.nodes)
  const second = (first + 37) % SIZES.nodes
  return { slice: { node: [name.node(first), name.node(second)] }, hits: (call) => call.node === first || call.node === second }
}
const oneCluster = (random: Random): Draw => {
  const cluster = random.integer(SIZES.clusters)
  return { slice: { cluster: [name.cluster(cluster)] }, hits: (call) => call.cluster === cluster }
}
const oneTenant = (random: Random): Draw => {
  const tenant = random.integer(12)
  return { slice: { tenant: [name.tenant(tenant)] }, hits: (call) => call.tenant === tenant }
}
const versionOnGpu = (random: Random, world: World): Draw => {
  const cluster = random.integer(SIZES.clusters)
  const version = world.versionOf[cluster] as number
  const gpu = world.gpuOf[cluster] as number
  return {
    slice: { engine_version: [name.version(version)], gpu_type: [name.gpu(gpu)] },
    hits: (call) => call.version === version && call.gpu === gpu,
  }
}
const clientOnSdk = (random: Random): Draw => {
  const client = random.integer(SIZES.clients)
  const sdk = random.integer(3)
  return { slice: { client_region: [name.client(client)], sdk: [`sdk${sdk}`] }, hits: (call) => call.client === client && call.sdk === sdk }
}
const oneClient = (random: Random): Draw => {
  const client = random.integer(SIZES.clients)
  return { slice: { client_region: [name.client(client)] }, hits: (call) => call.client === client }
}
const oneGateway = (random: Random): Draw => {
  const gateway = random.integer(SIZES.gateways)
  return { slice: { gateway: [name.gateway(gateway)] }, hits: (call) => call.gateway === gateway }
}
const routeOnRegion = (random: Random): Draw => {
  const route = random.integer(SIZES.routes)
  const region = random.integer(SIZES.regions)
  return {
    slice: { region: [name.region(region)], route: [name.route(route)] },
    hits: (call) => call.route === route && call.region === region,
  }
}
const oneZone = (random: Random): Draw => {
  const zone = random.integer(SIZES.zones)
  return { slice: { zone: [name.zone(zone)] }, hits: (call) => call.zone === zone }
}
const oneSdkVersion = (random: Random): Draw => {
  const sdk = random.integer(3)
  const version = random.integer(3)
  return { slice: { sdk_version: [name.sdkVersion(sdk, version)] }, hits: (call) => call.sdk === sdk && call.sdkVersion === version }
}

const COMPUTE = ['phase_engine_prefill', 'phase_engine_queue']

export function fleetFaults(severity: number): FleetFault[] {
  const compute = (call: Call, _random: Random, amount: number) => {
    call.compute *= 1 + 0.8 * amount
    call.decode *= 1 + 0.5 * amount
  }
  return [
    fault('slow-node', severity, COMPUTE, ['slower_compute'], oneNode, compute),
    fault('slow-nodes', severity, COMPUTE, ['slower_compute'], twoNodes, compute),
    fault('version-on-gpu', severity, COMPUTE, ['slower_compute'], versionOnGpu, (call, _random, amount) => {
      call.compute *= 1 + 0.6 * amount
    }),
    fault('tenant-cache-drop', severity, COMPUTE, ['cache_hit_drop'], oneTenant, (call, _random, amount) => {
      call.hit *= 1 - Math.min(0.95, 0.8 * amount)
    }),
    fault('cluster-cache-drop', severity, COMPUTE, ['cache_hit_drop'], oneCluster, (call, _random, amount) => {
      call.hit *= 1 - Math.min(0.95, 0.8 * amount)
    }),
    fault(
      'client-network',
      severity,
      ['phase_client_upload', 'phase_stream_network'],
      ['client_network'],
      oneClient,
      (call, random, amount) => {
        call.extra.upload += 0.1 * amount * (0.7 + 0.6 * random.next())
        call.extra.back += 0.1 * amount * (0.7 + 0.6 * random.next())
      },
    ),
    fault('client-on-sdk', severity, ['phase_client_upload'], ['client_network'], clientOnSdk, (call, random, amount) => {
      call.extra.upload += 0.25 * amount * (0.7 + 0.6 * random.next())
    }),
    fault('gateway-delay', severity, ['phase_gateway_route'], ['gateway_overhead'], oneGateway, (call, random, amount) => {
      call.extra.gateway += 0.15 * amount * (0.7 + 0.6 * random.next())
    }),
    fault('route-in-region', severity, ['phase_gateway_route'], ['gateway_overhead'], routeOnRegion, (call, random, amount) => {
      call.extra.gateway += 0.2 * amount * (0.7 + 0.6 * random.next())
    }),
    fault('kv-transfer', severity, ['phase_kv_transfer'], ['kv_transfer'], oneZone, (call, _random, amount) => {
      call.transfer *= 1 + 60 * amount
    }),
    fault('tokenizer', severity, ['phase_engine_tokenize'], ['tokenizer_cpu'], oneSdkVersion, (call, random, amount) => {
      call.extra.tokenize += (0.05 + call.prompt * 8e-5) * amount * (0.7 + 0.6 * random.next())
    }),
    fault(
      'intermittent-queue',
      severity,
      ['phase_engine_queue'],
      ['load_imbalance', 'capacity_loss', 'demand_saturation'],
      oneCluster,
      (call, random, amount) => {
        if (random.next() < 0.3) call.extra.queue += 0.6 * amount * random.exponential()
      },
    ),
    fault(
      'preemption',
      severity,
      ['phase_engine_decode'],
      ['preemption'],
      oneCluster,
      (call, random, amount) => {
        if (random.next() < 0.4 * amount) call.preempted = true
      },
      'e2e',
    ),
    adapterLoads(severity),
    badRevision(severity),
    capacityLoss(severity),
    fleetSlow(severity),
  ]
}

function adapterLoads(severity: number): FleetFault {
  return fault(
    'adapter-loads',
    severity,
    ['phase_engine_queue'],
    ['adapter_load'],
    (random, world) => {
      const adapters = [...new Set(world.tenants.slice(0, 40).map((tenant) => tenant.adapter))].filter((adapter) => adapter > 0)
      const adapter = adapters[random.integer(adapters.length)] ?? 1
      return { slice: { adapter: [name.adapter(adapter) as string] }, hits: (call) => call.adapter === adapter }
    },
    (call, random, amount) => {
      if (random.next() > 0.35 * amount) return
      call.loaded = true
      call.extra.queue += 0.3 + 0.5 * random.next()
    },
  )
}

/** A new revision takes 30 % of one model's traffic and is slow. */
function badRevision(severity: number): FleetFault {
  return {
    family: 'bad-revision',
    severity,
    prepare(random) {
      const model = random.integer(SIZES.models)
      return {
        truth: { kind: 'fault', slices: [{ revision: [name.revision(100)] }], phases: COMPUTE, mechanisms: ['slower_compute'], moved: [] },
        request(call, draws) {
          if (call.model !== model || draws.next() > 0.3) return
          call.revision = 100
          call.compute *= 1 + 0.8 * severity
        },
      }
    },
  }
}

/** Most nodes of one cluster are gone; the same traffic queues on the rest. */
function capacityLoss(severity: number): FleetFault {
  return fault(
    'capacity-loss',
    severity,
    ['phase_engine_queue'],
    ['capacity_loss', 'load_imbalance', 'demand_saturation'],
    oneCluster,
    (call, _random, amount) => {
      call.node = call.cluster * 8 + (call.node % Math.max(1, Math.round(3 - amount)))
    },
  )
}

function fleetSlow(severity: number): FleetFault {
  return {
    family: 'fleet-slow',
    severity,
    prepare: () => ({
      truth: { kind: 'fleet', slices: [{}], phases: COMPUTE, mechanisms: ['slower_compute'], moved: [] },
      request(call) {
        call.compute *= 1 + 0.5 * severity
      },
    }),
  }
}

export function fleetShifts(): FleetFault[] {
  const shift = (family: string, moved: string[], make: (random: Random) => Omit<FleetEffect, 'truth'>): FleetFault => ({
    family,
    severity: 1,
    prepare: (random) => ({
      ...make(random),
      truth: { kind: moved.length > 0 ? 'shift' : 'quiet', slices: [], phases: [], mechanisms: [], moved },
    }),
  })
  return [
    shift('tenant-longer-prompts', ['tenant', 'prompt_tokens'], (random) => {
      const tenant = random.integer(10)
      return {
        request(call) {
          if (call.tenant === tenant) call.prompt = Math.round(call.prompt * 2.5)
        },
      }
    }),
    shift('tenant-surge', ['tenant', 'requests/s'], (random) => {
      const tenant = 2 + random.integer(8)
      return { tenantWeight: (id) => (id === tenant ? 6 : 1) }
    }),
    shift('model-mix', ['model', 'revision', 'tenant'], (random) => {
      const model = 2 + random.integer(4)
      return { modelWeight: (id) => (id === model ? 3 : 1) }
    }),
    shift('longer-outputs', ['output_tokens'], () => ({
      target: 'e2e',
      request(call) {
        call.output = Math.round(call.output * 2)
      },
    })),
    shift('demand', ['requests', 'requests/s', 'prompt_tokens/s'], () => ({ rate: 1.5 })),
    shift('quiet', [], () => ({})),
  ]
}
