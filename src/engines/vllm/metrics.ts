// vLLM's /metrics page (vllm/v1/metrics/loggers.py), with every rename since V0. Series for each engine exist from the start at 0.
import type { ExpositionTable } from '../adapter.ts'

export const VLLM_METRICS: ExpositionTable = {
  prefixes: ['vllm:'],
  modelLabel: 'model_name',
  rankLabels: ['engine'],
  gauges: {
    running: { names: ['vllm:num_requests_running'], combine: 'sum' },
    waiting: { names: ['vllm:num_requests_waiting'], combine: 'sum' },
    // Renamed 2025-06 (#18354), the old name gone 2025-11 (#29330).
    kv_usage: { names: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'], combine: 'max' },
  },
  rates: {
    prompt_tokens_per_second: { names: ['vllm:prompt_tokens_total'], combine: 'sum' },
    cached_tokens_per_second: {
      names: ['vllm:prompt_tokens_cached_total', 'vllm:prefix_cache_hits_total', 'vllm:gpu_prefix_cache_hits_total'],
      combine: 'sum',
    },
    output_tokens_per_second: { names: ['vllm:generation_tokens_total'], combine: 'sum' },
    requests_per_second: { names: ['vllm:request_success_total'], combine: 'sum' },
    preemptions_per_second: { names: ['vllm:num_preemptions_total'], combine: 'sum' },
    drafted_per_second: { names: ['vllm:spec_decode_num_draft_tokens_total'], combine: 'sum' },
    accepted_per_second: { names: ['vllm:spec_decode_num_accepted_tokens_total'], combine: 'sum' },
  },
  // One observation a step and sequence; split in two families 2025-09 (#24110), the old one gone 2026-01 (#32661).
  step: {
    sum: { names: ['vllm:inter_token_latency_seconds_sum', 'vllm:time_per_output_token_seconds_sum'], combine: 'sum' },
    count: { names: ['vllm:inter_token_latency_seconds_count', 'vllm:time_per_output_token_seconds_count'], combine: 'sum' },
  },
  startTime: { names: ['process_start_time_seconds'], combine: 'max' },
  versionMarkers: [
    { name: 'vllm:admission_rejections_total', version: '>=0.32' },
    { name: 'vllm:prompt_tokens_by_source_total', version: '>=0.16' },
    { name: 'vllm:kv_cache_usage_perc', version: '>=0.10' },
    { name: 'vllm:gpu_cache_usage_perc', version: '<0.13' },
  ],
  expected: [
    { names: ['vllm:num_requests_running'], atStart: true, why: 'requests running at arrival' },
    { names: ['vllm:num_requests_waiting'], atStart: true, why: 'requests waiting at arrival' },
    { names: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'], atStart: true, why: 'KV pressure' },
    { names: ['vllm:num_preemptions_total'], atStart: true, why: 'preemptions' },
    { names: ['vllm:prompt_tokens_total'], atStart: true, why: 'prompt tokens' },
    { names: ['vllm:generation_tokens_total'], atStart: true, why: 'output tokens' },
    { names: ['vllm:request_success_total'], atStart: true, why: 'finished requests' },
    { names: ['vllm:prefix_cache_hits_total', 'vllm:gpu_prefix_cache_hits_total'], atStart: true, why: 'prefix cache hits' },
    {
      names: ['vllm:inter_token_latency_seconds_count', 'vllm:time_per_output_token_seconds_count'],
      atStart: true,
      why: 'step time',
    },
    { names: ['vllm:request_queue_time_seconds_count'], atStart: true, why: 'queue time of the fleet' },
  ],
}
