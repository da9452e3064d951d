// What is done to a running fleet of two real replicas in each recording, and what a localizer must say of it. Everything is made by hand:
// processes stopped and continued, bytes held back, prompts changed; nothing is written into records.
import type { Finding } from '@longpole/model/finding'
import type { MechanismId } from '@longpole/model/mechanism'

/** What callers do differently while the incident lasts. */
export interface TrafficChange {
  tenant: string
  /** Requests a second of this tenant, times. */
  rate?: number
  /** Words after the shared prefix, times. */
  words?: number
  /** A number stands before the shared prefix, so that no cache can know it. */
  losesPrefix?: true
  /** Only requests to this replica. */
  replica?: number
}

export interface Scenario {
  id: string
  /** Stops and continues all processes of a replica: milliseconds stopped and running in turn, each drawn around these. */
  pause?: { replica: number; stoppedMs: number; runningMs: number }
  /** Holds bytes back on the way to a replica, for callers of one region or of all. */
  delay?: { replica: number | null; region: string | null; ms: number }
  /** Requests a second of nobody's, straight to the engine: long outputs that fill its slots. */
  crowd?: { replica: number; concurrency: number; words: number; tokens: number }
  /** Milliseconds that callers of a region take over each chunk. */
  slowConsumer?: { region: string; ms: number }
  traffic?: TrafficChange
  /** Null: whatever it says, it must be no alarm. */
  truth: Truth
}

export interface Truth {
  verdict: Finding['verdict']
  /** Any of these; tenants by the name the caller uses. */
  slices: Record<string, string[]>[]
  phases: string[]
  mechanisms: MechanismId[]
}

export const REGIONS = ['eu-west', 'us-east', 'ap-south'] as const
export const TENANTS = ['ash', 'birch', 'cedar', 'elm', 'fern'] as const

const fault = (slice: Record<string, string[]>, phases: string[], mechanisms: MechanismId[]): Truth => ({
  verdict: 'localized',
  slices: [slice],
  phases,
  mechanisms,
})
const shift = (tenant: string): Truth => ({ verdict: 'workload_shift', slices: [{ tenant: [tenant] }], phases: [], mechanisms: [] })
const replica = (index: number) => ({ replica: [`vllm-${index}`] })

export const SCENARIOS: readonly Scenario[] = [
  { id: 'quiet', truth: { verdict: 'no_regression', slices: [], phases: [], mechanisms: [] } },
  {
    id: 'host-stall',
    pause: { replica: 1, stoppedMs: 700, runningMs: 1_800 },
    truth: fault(replica(1), ['engine.decode', 'engine.prefill', 'engine.queue', 'engine.tokenize'], ['host_stall']),
  },
  {
    id: 'slow-replica',
    pause: { replica: 0, stoppedMs: 25, runningMs: 25 },
    truth: fault(replica(0), ['engine.prefill', 'engine.decode', 'engine.queue', 'engine.tokenize'], ['slower_compute', 'host_stall']),
  },
  {
    id: 'slower-replica',
    pause: { replica: 1, stoppedMs: 60, runningMs: 20 },
    truth: fault(replica(1), ['engine.prefill', 'engine.decode', 'engine.queue', 'engine.tokenize'], ['slower_compute', 'host_stall']),
  },
  {
    id: 'region-network',
    delay: { replica: null, region: 'ap-south', ms: 60 },
    truth: fault({ client_region: ['ap-south'] }, ['client.upload', 'stream.network', 'stream.drain'], ['client_network']),
  },
  {
    id: 'replica-network',
    delay: { replica: 1, region: null, ms: 80 },
    truth: fault(replica(1), ['client.upload', 'stream.network', 'stream.drain'], ['client_network']),
  },
  {
    id: 'cache-lost',
    traffic: { tenant: 'fern', losesPrefix: true },
    truth: fault({ tenant: ['fern'] }, ['engine.prefill', 'engine.queue'], ['cache_hit_drop']),
  },
  {
    id: 'crowded-replica',
    crowd: { replica: 0, concurrency: 10, words: 60, tokens: 120 },
    truth: fault(
      replica(0),
      ['engine.queue', 'engine.prefill'],
      ['demand_saturation', 'load_imbalance', 'noisy_neighbour', 'capacity_loss'],
    ),
  },
  { id: 'hang', pause: { replica: 1, stoppedMs: 1e9, runningMs: 0 }, truth: fault(replica(1), [], ['hang']) },
  {
    id: 'slow-consumer',
    slowConsumer: { region: 'us-east', ms: 25 },
    truth: fault({ client_region: ['us-east'] }, ['client.consume'], ['slow_consumer']),
  },
  { id: 'tenant-grows', traffic: { tenant: 'cedar', words: 12 }, truth: shift('cedar') },
  { id: 'tenant-surge', traffic: { tenant: 'birch', rate: 6 }, truth: shift('birch') },
]
