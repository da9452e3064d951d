// One simulated engine alone with a list of requests: what calibration feeds with measured arrivals and lengths.
import { EventQueue } from '../../src/simulator/core/event-queue.ts'
import { SimRequest } from '../../src/simulator/core/request.ts'
import { Engine } from '../../src/simulator/engine/engine.ts'
import type { EngineListener } from '../../src/simulator/engine/listener.ts'
import type { EngineSpec, ServedModel } from '../../src/simulator/fleet/fleet.ts'
import { drawTenants } from '../../src/simulator/workload/tenant.ts'

export interface Arrival {
  at: number
  promptTokens: number
  outputTokens: number
  /** Prefix block ids, where the trace has them. */
  blocks?: readonly number[]
}

export interface Served {
  arrival: Arrival
  queue: number
  prefill: number
  /** Seconds per output token after the first; NaN with a single one. */
  tpot: number
  cachedTokens: number
}

export const PLAIN_SPEC: Omit<EngineSpec, 'timing' | 'kvTokens' | 'rankNames' | 'maxSequences' | 'maxBatchedTokens'> = {
  name: 'calibration',
  kind: 'vllm',
  role: 'both',
  model: 'calibration',
  revision: { name: 'r1', engineVersion: '0' },
  placement: { cluster: 'c', region: 'us-east', zone: 'z', node: 'n', gpuType: 'g' },
  quantization: 'none',
  flagsHash: '0',
  epGroup: null,
  kvBytesPerToken: 1,
  reserveOutputShare: 0,
  speculation: null,
  silicon: 1,
  linkBytesPerSecond: 1e9,
  adapterSlots: 0,
  hostTierTokens: 0,
}

const MODEL: ServedModel = {
  name: 'calibration',
  kind: 'vllm',
  adapters: [],
  disaggregated: false,
  speculative: false,
  reasoning: false,
  trafficShare: 1,
}
const [TENANT] = drawTenants(1, [MODEL], ['us-east'], 1)

/** Runs the arrivals through an engine; the answer is in their order. */
export function serveAlone(spec: EngineSpec, arrivals: readonly Arrival[], seed: number): { served: Served[]; engine: Engine } {
  const queue = new EventQueue<SimRequest | null>()
  const tenant = TENANT as NonNullable<typeof TENANT>
  const served: (Served | undefined)[] = arrivals.map(() => undefined)
  const keep = (request: SimRequest, now: number) => {
    const decode = now - request.firstTokenAt
    served[request.index] = {
      arrival: arrivals[request.index] as Arrival,
      queue: request.last.scheduled - request.last.queued,
      prefill: request.prefilledAt - request.last.scheduled,
      tpot: request.outputTokens > 1 ? decode / (request.outputTokens - 1) : Number.NaN,
      cachedTokens: request.cachedTokens,
    }
  }
  const listener: EngineListener = {
    prefilled(_engine, request, now) {
      request.prefilledAt = now
      request.firstTokenAt = now
      if (spec.role === 'prefill') {
        engine.release(request)
        keep(request, now)
      }
    },
    roomFound() {},
    finished: (_engine, request, now) => keep(request, now),
    failed() {},
  }
  const engine = new Engine(spec, queue, listener, seed, Number.NEGATIVE_INFINITY)
  arrivals.forEach((arrival, index) => {
    const request = new SimRequest(index, index, index + 1, tenant, (tenant.clients[0] as (typeof tenant.clients)[number]).client, MODEL)
    request.promptTokens = arrival.promptTokens
    request.outputTokens = arrival.outputTokens
    request.maxTokens = arrival.outputTokens
    request.blocks = arrival.blocks ?? []
    const handler = {
      handle(now: number) {
        request.arrivedAt = now
        request.state = 'waiting'
        engine.enqueue(request, now)
      },
    }
    queue.schedule(arrival.at, handler, 0, null)
  })
  queue.run(Number.MAX_VALUE)
  return { served: served.filter((entry) => entry !== undefined), engine }
}
