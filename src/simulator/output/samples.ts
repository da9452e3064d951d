// EngineSamples of the simulated fleet, as the sidecar makes them from an engine's /metrics page: one row a rank every few seconds.
import { type EngineSample, emptySample } from '@longpole/model/engine-sample'
import type { EventHandler } from '../core/event-queue.ts'
import { normal } from '../core/random.ts'
import type { SimRequest } from '../core/request.ts'
import type { EngineCounters, RankCounters } from '../engine/counters.ts'
import type { Engine } from '../engine/engine.ts'
import type { SimQueue } from '../engine/listener.ts'
import type { Rank } from '../engine/rank.ts'

export const SAMPLE_SECONDS = 5

/** Boost clocks of the accelerators, hertz. */
const CLOCKS: Record<string, number> = { H800: 1.755e9, H200: 1.98e9, H20: 1.98e9, L40S: 2.52e9, A100: 1.41e9 }

interface Previous {
  startedAt: number
  engine: EngineCounters
  rank: RankCounters
}

export interface SamplerOptions {
  queue: SimQueue
  engines: readonly Engine[]
  startUnixNano: bigint
  until: number
  /** Whether telemetry of this engine is present at this time. */
  take(sample: EngineSample): void
}

export class Sampler implements EventHandler<SimRequest | null> {
  private readonly options: SamplerOptions
  private readonly previous = new Map<Rank, Previous>()

  constructor(options: SamplerOptions) {
    this.options = options
    options.queue.schedule(0, this, 0, null)
  }

  handle(now: number): void {
    const { queue, engines, until } = this.options
    for (const engine of engines) {
      if (now < engine.startedAt && engine.up) continue
      for (const rank of engine.ranks) this.options.take(this.sample(engine, rank, now))
    }
    if (now + SAMPLE_SECONDS < until) queue.schedule(now + SAMPLE_SECONDS, this, 0, null)
  }

  private sample(engine: Engine, rank: Rank, now: number): EngineSample {
    const { spec } = engine
    const sample = emptySample(spec.name, this.options.startUnixNano + BigInt(Math.round(now * 1e9)))
    sample.cluster = spec.placement.cluster
    sample.region = spec.placement.region
    sample.model = spec.model
    sample.pool = spec.role
    sample.rank = rank.name
    sample.engine = spec.kind
    sample.engine_version = spec.revision.engineVersion
    sample.up = engine.up
    if (!engine.up) return sample
    sample.age_seconds = now - engine.startedAt
    sample.running = rank.running.length + rank.prefilling.length
    sample.waiting = rank.waiting.length
    sample.kv_usage = rank.usage
    sample.expert_load_ratio = spec.epGroup === null ? null : expertLoad(engine, now)
    sample.gpu_clock_hz =
      (CLOCKS[spec.placement.gpuType] ?? 1.5e9) * rank.clockScale.value * (1 + 0.003 * normal(engine.seed, Math.floor(now), 3))
    sample.gpu_throttle_reason = rank.throttleReason
    this.addRates(sample, engine, rank)
    return sample
  }

  private addRates(sample: EngineSample, engine: Engine, rank: Rank): void {
    const before = this.previous.get(rank)
    this.previous.set(rank, { startedAt: engine.startedAt, engine: { ...engine.counters }, rank: { ...rank.counters } })
    if (before === undefined || before.startedAt !== engine.startedAt) return
    const rate = (key: keyof RankCounters) => (rank.counters[key] - before.rank[key]) / SAMPLE_SECONDS
    sample.prompt_tokens_per_second = rate('promptTokens')
    sample.cached_tokens_per_second = rate('cachedTokens')
    sample.output_tokens_per_second = rate('outputTokens')
    sample.requests_per_second = rate('requests')
    sample.preemptions_per_second = rate('preemptions')
    if (engine.spec.speculation !== null) {
      sample.drafted_per_second = rate('drafted')
      sample.accepted_per_second = rate('accepted')
    }
    const steps = engine.counters.steps - before.engine.steps
    sample.step_seconds = steps > 0 ? (engine.counters.stepSeconds - before.engine.stepSeconds) / steps : null
    const moved = (engine.counters.transferredBytes - before.engine.transferredBytes) / SAMPLE_SECONDS
    sample.nic_transmit_bytes_per_second = engine.spec.role === 'prefill' ? moved : null
  }
}

/** Load of the busiest expert over the mean: a healthy, balanced placement wobbles around 1.15. */
function expertLoad(engine: Engine, now: number): number {
  return 1 + 0.15 * engine.expertSkew.value * Math.exp(0.1 * normal(engine.seed, Math.floor(now / 10), 4))
}
