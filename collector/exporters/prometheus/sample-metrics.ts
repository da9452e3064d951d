// Samples of engines as gauges. What a sample does not know is taken away, never written as 0; a replica that is no longer heard of is
// down, and after an hour no longer expected.
import type { Clock } from '@longpole/model/clock'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Labels, MetricRegistry } from './registry.ts'

/** Six missed samples at the usual five seconds. */
export const SILENT_AFTER_SECONDS = 30
export const EXPECTED_FOR_SECONDS = 3_600
/** Between samples further apart the rates say nothing about what happened. */
const MAX_RATE_SECONDS = 60

const GAUGES = {
  engineRunning: 'running',
  engineWaiting: 'waiting',
  engineKvUsageRatio: 'kv_usage',
  engineStepSeconds: 'step_seconds',
  engineExpertLoadRatio: 'expert_load_ratio',
  engineAgeSeconds: 'age_seconds',
  engineGpuClockHertz: 'gpu_clock_hz',
} as const satisfies Partial<Record<HubMetricKey, keyof EngineSample>>

const TOKEN_RATES = {
  prompt: 'prompt_tokens_per_second',
  cached: 'cached_tokens_per_second',
  output: 'output_tokens_per_second',
  drafted: 'drafted_per_second',
  accepted: 'accepted_per_second',
} as const satisfies Record<string, keyof EngineSample>

/** What every engine with a metrics page can tell; without it load, cache and throughput boards are blind. */
const EXPECTED_FIELDS = [
  'running',
  'waiting',
  'kv_usage',
  'prompt_tokens_per_second',
  'output_tokens_per_second',
] as const satisfies readonly (keyof EngineSample)[]
/** The first sample has no rates, and an engine that is starting has little to tell. */
const MISSING_AFTER_SAMPLES = 4

interface Replica {
  labels: Labels
  info: Labels
  sample: EngineSample
  seenMs: number
  isUp: boolean
  /** Samples in a row in which the field was unknown. */
  missing: Map<string, number>
}

export interface SampleMetrics {
  sample(sample: EngineSample): void
  /** Marks silent replicas as down and forgets those gone for an hour; to be called before every page. */
  expire(): void
}

export function createSampleMetrics(registry: MetricRegistry<HubMetricKey>, clock: Clock): SampleMetrics {
  const replicas = new Map<string, Replica>()

  function setUp(replica: Replica, isUp: boolean): void {
    replica.isUp = isUp
    registry.set('engineUp', replica.labels, isUp ? 1 : 0)
    if (!isUp) for (const key of Object.keys(GAUGES) as (keyof typeof GAUGES)[]) registry.remove(key, replica.labels)
  }

  function countExpected(): void {
    const counts = new Map<string, { labels: Labels; replicas: Set<string> }>()
    for (const { sample } of replicas.values()) {
      const labels = { cluster: sample.cluster, model: sample.model, pool: sample.pool }
      const key = JSON.stringify(labels)
      const count = counts.get(key) ?? { labels, replicas: new Set<string>() }
      counts.set(key, count)
      count.replicas.add(sample.replica)
    }
    registry.clear('engineExpected')
    for (const { labels, replicas: names } of counts.values()) registry.set('engineExpected', labels, names.size)
  }

  return {
    sample(sample) {
      const labels = { cluster: sample.cluster, model: sample.model, pool: sample.pool, replica: sample.replica, rank: sample.rank }
      const key = JSON.stringify(labels)
      const before = replicas.get(key)
      const replica: Replica = {
        labels,
        info: infoOf(sample),
        sample,
        seenMs: clock.monotonicMs(),
        isUp: sample.up,
        missing: before?.missing ?? new Map(),
      }
      replicas.set(key, replica)
      setUp(replica, sample.up)
      if (before === undefined) countExpected()
      if (before !== undefined && JSON.stringify(before.info) !== JSON.stringify(replica.info)) registry.remove('engineInfo', before.info)
      registry.set('engineInfo', replica.info, 1)
      if (!sample.up) return
      for (const [metric, field] of Object.entries(GAUGES) as [keyof typeof GAUGES, keyof EngineSample][]) {
        const value = sample[field]
        if (typeof value === 'number') registry.set(metric, labels, value)
        else registry.remove(metric, labels)
      }
      setMissing(registry, replica)
      setThrottle(registry, labels, before?.sample.gpu_throttle_reason ?? null, sample.gpu_throttle_reason)
      if (before !== undefined) addRates(registry, labels, before.sample, sample)
    },

    expire() {
      const nowMs = clock.monotonicMs()
      let isGone = false
      for (const [key, replica] of replicas) {
        const silentSeconds = (nowMs - replica.seenMs) / 1_000
        if (silentSeconds > EXPECTED_FOR_SECONDS) {
          replicas.delete(key)
          isGone = true
          removeReplica(registry, replica)
        } else if (replica.isUp && silentSeconds > SILENT_AFTER_SECONDS) setUp(replica, false)
      }
      if (isGone) countExpected()
    },
  }
}

function removeReplica(registry: MetricRegistry<HubMetricKey>, { labels, info, sample }: Replica): void {
  registry.remove('engineUp', labels)
  registry.remove('engineInfo', info)
  for (const metric of Object.keys(GAUGES) as (keyof typeof GAUGES)[]) registry.remove(metric, labels)
  const { cluster, model, replica, engine } = sample
  for (const metric of EXPECTED_FIELDS) registry.remove('engineMetricMissing', { cluster, model, replica, engine, metric })
}

function infoOf(sample: EngineSample): Labels {
  const { cluster, region, model, pool, replica, engine, engine_version } = sample
  return { cluster, region, model, pool, replica, engine, engine_version }
}

function setMissing(registry: MetricRegistry<HubMetricKey>, { sample, missing }: Replica): void {
  const { cluster, model, replica, engine } = sample
  for (const field of EXPECTED_FIELDS) {
    const labels = { cluster, model, replica, engine, metric: field }
    const count = sample[field] === null ? (missing.get(field) ?? 0) + 1 : 0
    missing.set(field, count)
    if (count >= MISSING_AFTER_SAMPLES) registry.set('engineMetricMissing', labels, 1)
    else registry.remove('engineMetricMissing', labels)
  }
}

function setThrottle(registry: MetricRegistry<HubMetricKey>, labels: Labels, before: string | null, reason: string | null): void {
  if (before !== null && before !== reason) registry.remove('engineGpuThrottled', { ...labels, reason: before })
  if (reason !== null) registry.set('engineGpuThrottled', { ...labels, reason }, 1)
}

/** Counters from rates: what happened since the previous sample. */
function addRates(registry: MetricRegistry<HubMetricKey>, labels: Labels, before: EngineSample, sample: EngineSample): void {
  const seconds = Number(sample.unix_ns - before.unix_ns) / 1e9
  if (seconds <= 0 || seconds > MAX_RATE_SECONDS) return
  if (sample.preemptions_per_second !== null) registry.increment('enginePreemptionsTotal', labels, sample.preemptions_per_second * seconds)
  for (const [kind, field] of Object.entries(TOKEN_RATES)) {
    const rate = sample[field]
    if (rate !== null) registry.increment('engineTokensTotal', { ...labels, kind }, rate * seconds)
  }
}
