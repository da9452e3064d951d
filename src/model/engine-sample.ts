// One look at one replica (or one rank of it), every 1 to 10 s, made from the engine's own /metrics page. Unknown is null, never 0.

export interface EngineSample {
  unix_ns: bigint
  cluster: string | null
  region: string | null
  model: string | null
  pool: string | null
  replica: string
  rank: string | null
  engine: string | null
  engine_version: string | null
  /** The scrape answered. */
  up: boolean
  /** Seconds since the engine started, where it tells. */
  age_seconds: number | null
  running: number | null
  waiting: number | null
  /** 0 to 1. */
  kv_usage: number | null
  /** Rates per second since the previous sample; null on the first and after a counter reset. */
  prompt_tokens_per_second: number | null
  cached_tokens_per_second: number | null
  output_tokens_per_second: number | null
  requests_per_second: number | null
  preemptions_per_second: number | null
  drafted_per_second: number | null
  accepted_per_second: number | null
  /** Mean duration of an engine step since the previous sample, seconds. */
  step_seconds: number | null
  /** Load of the busiest expert ÷ the mean. */
  expert_load_ratio: number | null
  gpu_clock_hz: number | null
  gpu_throttle_reason: string | null
  nic_receive_bytes_per_second: number | null
  nic_transmit_bytes_per_second: number | null
}

/** Keys of a sample that are numbers, with their meaning: DDL, Arrow and the documents derive from it. */
export const SAMPLE_NUMBERS = [
  'age_seconds',
  'running',
  'waiting',
  'kv_usage',
  'prompt_tokens_per_second',
  'cached_tokens_per_second',
  'output_tokens_per_second',
  'requests_per_second',
  'preemptions_per_second',
  'drafted_per_second',
  'accepted_per_second',
  'step_seconds',
  'expert_load_ratio',
  'gpu_clock_hz',
  'nic_receive_bytes_per_second',
  'nic_transmit_bytes_per_second',
] as const satisfies readonly (keyof EngineSample)[]

export const SAMPLE_NAMES = [
  'cluster',
  'region',
  'model',
  'pool',
  'replica',
  'rank',
  'engine',
  'engine_version',
  'gpu_throttle_reason',
] as const satisfies readonly (keyof EngineSample)[]

export function emptySample(replica: string, unixNano: bigint): EngineSample {
  const sample: Record<string, unknown> = { unix_ns: unixNano, up: true }
  for (const key of [...SAMPLE_NAMES, ...SAMPLE_NUMBERS]) sample[key] = null
  sample.replica = replica
  return sample as unknown as EngineSample
}
