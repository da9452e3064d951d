// SGLang's /metrics page (python/sglang/srt/observability/metrics_collector.py). Most families appear with use only: absent is not
// zero. Behind its gateway the same names are spelled `sglang_…`; the sampler reads both.
import type { ExpositionTable } from '../adapter.ts'

/** The same metric, scraped directly or through the gateway's aggregator, which rewrites colons. */
function spelled(...names: string[]): string[] {
  return names.flatMap((name) => [`sglang:${name}`, `sglang_${name}`])
}

export const SGLANG_METRICS: ExpositionTable = {
  prefixes: ['sglang:', 'sglang_'],
  modelLabel: 'model_name',
  // Tensor and pipeline ranks work on the same requests, so only data-parallel ranks are kept apart.
  rankLabels: ['dp_rank'],
  pool: { label: 'engine_type', values: { unified: 'both', prefill: 'prefill', decode: 'decode' } },
  gauges: {
    running: { names: spelled('num_running_reqs'), combine: 'max' },
    waiting: { names: spelled('num_queue_reqs'), combine: 'max' },
    kv_usage: { names: spelled('token_usage'), combine: 'max' },
  },
  rates: {
    prompt_tokens_per_second: { names: spelled('prompt_tokens_total'), combine: 'sum' },
    cached_tokens_per_second: { names: spelled('cached_tokens_total'), combine: 'sum' },
    output_tokens_per_second: { names: spelled('generation_tokens_total'), combine: 'sum' },
    requests_per_second: { names: spelled('num_requests_total'), combine: 'sum' },
    preemptions_per_second: { names: spelled('num_retracted_requests_total'), combine: 'max' },
  },
  step: {
    sum: { names: spelled('inter_token_latency_seconds_sum'), combine: 'sum' },
    count: { names: spelled('inter_token_latency_seconds_count'), combine: 'sum' },
  },
  versionMarkers: [{ name: 'sglang:scheduler_stage_seconds_total', version: '>=0.5.20' }],
  expected: [
    { names: spelled('max_total_num_tokens'), atStart: true, why: 'the page is that of a scheduler' },
    { names: spelled('num_running_reqs'), atStart: false, why: 'requests running at arrival' },
    { names: spelled('num_queue_reqs'), atStart: false, why: 'requests waiting at arrival' },
    { names: spelled('token_usage'), atStart: false, why: 'KV pressure' },
    { names: spelled('prompt_tokens_total'), atStart: false, why: 'prompt tokens' },
    { names: spelled('generation_tokens_total'), atStart: false, why: 'output tokens' },
    { names: spelled('per_stage_req_latency_seconds_count'), atStart: false, why: 'phases of the fleet' },
  ],
}
