// How busy a replica was when a request arrived, from its latest sample before that: running, waiting, KV usage, age. The sample and the
// sidecar's stamps come from one host, so they are compared as they are.
import type { EngineSample } from '@longpole/model/engine-sample'
import type { RequestRecord } from '@longpole/model/request-record'

export interface ArrivalState {
  sample(sample: EngineSample): void
  /** Fills what the record does not know yet. */
  fill(record: RequestRecord): void
}

const KEPT = 32
const MAX_REPLICAS = 4_096
const MAX_AGE_NANOS = 30_000_000_000n
/** A replica younger than this is cold: caches, graphs and connections are still being made. */
const COLD_SECONDS = 120

export function createArrivalState(): ArrivalState {
  const samples = new Map<string, EngineSample[]>()

  return {
    sample(sample) {
      if (!sample.up) return
      let own = samples.get(sample.replica)
      if (own === undefined) {
        if (samples.size >= MAX_REPLICAS) samples.delete(samples.keys().next().value as string)
        own = []
        samples.set(sample.replica, own)
      }
      own.push(sample)
      if (own.length > KEPT) own.shift()
    },
    fill(record) {
      const own = record.replica === null ? undefined : samples.get(record.replica)
      if (own === undefined) return
      const sample = own.findLast(({ unix_ns }) => unix_ns <= record.start_unix_ns && record.start_unix_ns - unix_ns < MAX_AGE_NANOS)
      if (sample === undefined) return
      record.running ??= sample.running
      record.waiting ??= sample.waiting
      record.kv_usage ??= sample.kv_usage
      if (sample.age_seconds === null) return
      record.replica_age ??= sample.age_seconds + Number(record.start_unix_ns - sample.unix_ns) / 1e9
      record.cold ??= record.replica_age < COLD_SECONDS
    },
  }
}
