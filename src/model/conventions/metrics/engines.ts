// Canonical metrics of engines, whatever the engine and its version.
import { counter, gauge } from './definition.ts'

const REPLICA = ['cluster', 'model', 'pool', 'replica', 'rank'] as const

export const ENGINE_METRICS = {
  engineUp: gauge('longpole_engine_up', 'The engine answered its last scrape.', REPLICA),
  engineRunning: gauge('longpole_engine_running', 'Requests running.', REPLICA),
  engineWaiting: gauge('longpole_engine_waiting', 'Requests waiting.', REPLICA),
  engineKvUsageRatio: gauge('longpole_engine_kv_usage_ratio', 'KV cache in use, 0 to 1.', REPLICA),
  enginePreemptionsTotal: counter('longpole_engine_preemptions_total', 'Preemptions and retractions.', REPLICA),
  engineStepSeconds: gauge('longpole_engine_step_seconds', 'Mean duration of an engine step.', REPLICA),
  engineExpertLoadRatio: gauge('longpole_engine_expert_load_ratio', 'Load of the busiest expert over the mean.', REPLICA),
  engineAgeSeconds: gauge('longpole_engine_age_seconds', 'Seconds since the engine started.', REPLICA),
  engineTokensTotal: counter('longpole_engine_tokens_total', "Tokens by the engine's own counters.", [...REPLICA, 'kind']),
  engineInfo: gauge('longpole_engine_info', '1; what runs where.', [
    'cluster',
    'region',
    'model',
    'pool',
    'replica',
    'engine',
    'engine_version',
    'gpu_type',
    'revision',
  ]),
  engineMetricMissing: gauge('longpole_engine_metric_missing', '1 for each metric that this engine version should have and has not.', [
    'cluster',
    'model',
    'replica',
    'engine',
    'metric',
  ]),
  engineGpuClockHertz: gauge('longpole_engine_gpu_clock_hertz', 'GPU clock, where counters are present.', REPLICA),
  engineGpuThrottled: gauge('longpole_engine_gpu_throttled', '1 while throttled, by reason, where counters are present.', [
    ...REPLICA,
    'reason',
  ]),
  engineExpected: gauge('longpole_engine_expected', 'Replicas seen for this model in the last hour.', ['cluster', 'model', 'pool']),
  priceReplicaHour: gauge('longpole_price_replica_hour', 'Configured price of one replica for an hour, in US dollars.', ['model']),
} as const
