// One model for each cause rule: what its requests and engine samples look like once it is ill. Everything passes through the hub's own
// registry, so a label that the hub writes otherwise than the rule reads is found here.
import type { EngineSample } from '@longpole/model/engine-sample'
import type { PhaseDuration, PhaseId } from '@longpole/model/phase'
import type { RequestRecord } from '@longpole/model/request-record'
import { aliveSample } from './hub-page.ts'

export interface IllModel {
  /** The rule that must fire for it, and the model's name. */
  alert: string
  /** The share of requests that are as `request` says while ill; the rest are well. Default all. */
  share?: number
  request?: (record: RequestRecord) => Partial<RequestRecord> | null
  samples?: (samples: EngineSample[], illSeconds: number) => EngineSample[]
}

export function phase(id: PhaseId, seconds: number): PhaseDuration {
  return { phase: id, seconds, source: 'test', exactness: 'measured' }
}

/** The record's phases with one of them lasting so long. */
function lasting(record: RequestRecord, id: PhaseId, seconds: number): PhaseDuration[] {
  const others = record.phases.filter((entry) => entry.phase !== id)
  return [...others, phase(id, seconds)]
}

const onReplica = (replica: string, change: Partial<RequestRecord>) => (record: RequestRecord) => (record.replica === replica ? change : {})
const onFirst = (change: Partial<EngineSample>) => (samples: EngineSample[]) =>
  samples.map((sample, index) => (index === 0 ? { ...sample, ...change } : sample))
const onAll = (change: Partial<EngineSample>) => (samples: EngineSample[]) => samples.map((sample) => ({ ...sample, ...change }))
const disaggregated = { prefill_replica: 'p1', decode_replica: 'r0', kv_bytes: 4e6 }

export const ILL_MODELS: readonly IllModel[] = [
  {
    alert: 'LLMQueueGrowth',
    request: (record) => ({ ttft: 5, phases: lasting(record, 'engine.queue', 4.8) }),
    samples: (samples, illSeconds) => samples.map((sample) => ({ ...sample, waiting: illSeconds / 20 })),
  },
  { alert: 'LLMQueueTimeBudget', request: (record) => ({ ttft: 3.2, phases: lasting(record, 'engine.queue', 3) }) },
  { alert: 'LLMPrefillSlow', request: (record) => ({ phases: lasting(record, 'engine.prefill', 0.8) }) },
  { alert: 'LLMPrefixCacheCollapse', request: () => ({ cached_tokens: 60 }) },
  { alert: 'LLMDecodeSlow', request: () => ({ tpot: 0.08 }) },
  // Index -16 of the exponential sketch is about a quarter of a second.
  { alert: 'LLMDecodeInterference', request: () => ({ itl: { '-46': 95, '-16': 5 } }) },
  { alert: 'LLMStreamStall', share: 0.2, request: () => ({ itl_max: 3 }) },
  { alert: 'LLMKVPressure', samples: onFirst({ kv_usage: 0.97, preemptions_per_second: 1 }) },
  { alert: 'LLMKVTransferSlow', request: (record) => ({ ...disaggregated, phases: lasting(record, 'kv.transfer', 1.2) }) },
  {
    alert: 'LLMKVTransferFailures',
    share: 0.2,
    request: () => ({ ...disaggregated, outcome: 'error', error_class: 'kv_transfer_failed' }),
  },
  {
    alert: 'LLMPrefillDecodeImbalance',
    share: 0.3,
    request: () => ({ ttft: 5 }),
    samples: (samples) =>
      samples.map((sample, index) => ({ ...sample, pool: index < 2 ? 'prefill' : 'decode', waiting: index < 2 ? 40 : 2 })),
  },
  { alert: 'LLMReplicaOutlier', request: (record) => onReplica('r0', { phases: lasting(record, 'engine.decode', 12) })(record) },
  {
    alert: 'LLMLoadSkew',
    samples: (samples) =>
      samples.map((sample, index) => ({ ...sample, running: index === 0 ? 60 : 5, kv_usage: index === 0 ? 0.95 : 0.3 })),
  },
  { alert: 'LLMClusterSaturated', samples: onAll({ kv_usage: 0.96, waiting: 5 }) },
  {
    alert: 'LLMNetworkPhase',
    request: (record) => ({ client_region: 'ap', sdk: 'openai', ttft: 1.1, phases: lasting(record, 'stream.network', 0.9) }),
  },
  { alert: 'LLMClientAbortSpike', share: 0.4, request: () => ({ outcome: 'aborted' }) },
  { alert: 'LLMUpstreamErrors', request: onReplica('r0', { outcome: 'error', error_class: 'http_500' }) },
  { alert: 'LLMRateLimited', share: 0.2, request: () => ({ outcome: 'rejected', error_class: 'http_429' }) },
  { alert: 'LLMEngineDown', samples: onFirst({ up: false }) },
  { alert: 'LLMNoHealthyEngines', request: () => null, samples: () => [] },
  {
    alert: 'LLMGPUThrottled',
    request: (record) => onReplica('r0', { phases: lasting(record, 'engine.decode', 2.6) })(record),
    samples: onFirst({ gpu_throttle_reason: 'thermal' }),
  },
  { alert: 'LLMPhaseRegression', request: (record) => ({ phases: lasting(record, 'engine.tokenize', 2) }) },
  { alert: 'LLMTrafficDropped', request: () => null },
  { alert: 'LLMProbeFailing', share: 0.5, request: () => ({ synthetic: true, outcome: 'error', error_class: 'http_503' }) },
]

export const WELL = 'well'
export const REPLICAS = ['r0', 'r1', 'r2', 'r3'] as const

export function wellSamples(model: string): EngineSample[] {
  return REPLICAS.map((replica) => ({ ...aliveSample(model, replica), running: 8, waiting: 0, preemptions_per_second: 0 }))
}
