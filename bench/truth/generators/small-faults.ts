// The faults that a person makes by hand on three replicas, and the shifts that are none.
import { names, type SmallFault, together } from './small-engines.ts'

const { TENANTS, ROUTES, REGIONS, REPLICAS } = names
const ENGINE = ['phase_engine_queue', 'phase_engine_prefill', 'phase_engine_admit']

function victim(list: readonly string[], seed: number): number {
  return (seed * 7 + 3) % list.length
}

function fault(family: string, severity: number, dimension: string, list: readonly string[], phases: string[], mechanisms: string[]) {
  return {
    family,
    severity,
    target: 'ttft',
    truth: (seed: number) => ({
      kind: 'fault' as const,
      slices: [{ [dimension]: [list[victim(list, seed)] as string] }],
      phases,
      mechanisms,
      moved: [],
    }),
  }
}

/** The faults as functions of the seed, because the slice is drawn by it. */
export function smallFaults(seed: number): SmallFault[] {
  const replica = victim(REPLICAS, seed)
  const region = victim(REGIONS, seed)
  const route = victim(ROUTES, seed)
  const tenant = victim(TENANTS, seed)
  const quiet = { target: 'ttft', truth: () => ({ kind: 'quiet' as const, slices: [], phases: [], mechanisms: [], moved: [] }) }
  const shift = (moved: string[]) => ({
    target: 'ttft',
    truth: () => ({ kind: 'shift' as const, slices: [], phases: [], mechanisms: [], moved }),
  })
  const faults: SmallFault[] = []
  for (const severity of [1.5, 2.2]) {
    faults.push({
      ...fault('slow-replica', severity, 'replica', REPLICAS, ENGINE, ['slower_compute']),
      slow: (at, _time, during) => (during && at === replica ? severity : 1),
    })
  }
  faults.push({
    ...fault('stopped-replica', 1, 'replica', REPLICAS, [...ENGINE, 'phase_engine_decode'], ['slower_compute', 'host_stall']),
    pause: (at, time, during) => (during && at === replica && time % 1 < 0.25 ? 0.25 - (time % 1) : 0),
  })
  for (const slots of [1, 2]) {
    faults.push({
      ...fault(
        'queueing-replica',
        3 - slots,
        'replica',
        REPLICAS,
        ['phase_engine_queue'],
        ['load_imbalance', 'capacity_loss', 'demand_saturation'],
      ),
      slots: (at, during) => (during && at === replica ? slots : 8),
    })
  }
  for (const delay of [0.06, 0.2]) {
    faults.push({
      ...fault('region-network', delay, 'client_region', REGIONS, ['phase_client_upload', 'phase_stream_network'], ['client_network']),
      request(request, during, random) {
        if (!during || request.region !== region) return
        request.upload += (delay / 2) * (0.8 + 0.4 * random.next())
        request.back += (delay / 2) * (0.8 + 0.4 * random.next())
      },
    })
  }
  for (const delay of [0.05, 0.3]) {
    faults.push({
      ...fault('gateway-route-delay', delay, 'route', ROUTES, ['phase_gateway_route'], ['gateway_overhead']),
      request(request, during, random) {
        if (during && request.route === route) request.gatewaySeconds += delay * (0.9 + 0.2 * random.next())
      },
    })
  }
  faults.push({
    ...fault('hang', 1, 'replica', REPLICAS, [], ['hang']),
    hangs: (at) => at === replica,
  })
  faults.push({
    ...fault('slow-consumer', 1, 'tenant', TENANTS, ['phase_client_consume'], ['slow_consumer']),
    target: 'e2e',
    request(request, during, random) {
      if (during && request.tenant === tenant) request.consume += 0.5 + 0.5 * random.next()
    },
  })
  faults.push({
    ...fault('tenant-cache-collapse', 1, 'tenant', TENANTS, ['phase_engine_prefill', 'phase_engine_queue'], ['cache_hit_drop']),
    request(request, during) {
      if (during && request.tenant === tenant) request.cached = 0
    },
  })
  faults.push({
    ...shift(['tenant', 'prompt_tokens']),
    family: 'tenant-grows',
    severity: 3,
    request(request, during) {
      if (during && request.tenant === tenant % 3) request.prompt *= 3
    },
  })
  faults.push({
    ...shift(['tenant', 'requests/s']),
    family: 'tenant-surge',
    severity: 3,
    arrivals: (at, during) => (during && at === tenant % 4 ? 3 : 1),
  })
  faults.push({
    ...shift(['output_tokens', 'route', 'tenant', 'output_tokens/s']),
    family: 'outputs-grow',
    severity: 2,
    request(request, during) {
      if (during) request.output *= 2
    },
  })
  faults.push({ ...quiet, family: 'quiet', severity: 0 })
  return faults
}

/** Pairs that a person would make at once: other slices, other phases, each of them large. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['slow-replica', 'region-network'],
  ['slow-replica', 'gateway-route-delay'],
  ['region-network', 'gateway-route-delay'],
  ['queueing-replica', 'region-network'],
]

export function smallPairs(seed: number): SmallFault[] {
  const faults = smallFaults(seed)
  const largest = (family: string) =>
    faults.filter((fault) => fault.family === family).sort((left, right) => right.severity - left.severity)[0]
  return PAIRS.map((families) => together(families.map((family) => largest(family) as SmallFault)))
}
