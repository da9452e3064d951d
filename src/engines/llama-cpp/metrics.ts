// llama.cpp's /metrics page (`--metrics`): slots, queue and totals, without labels.
import type { ExpositionTable } from '../adapter.ts'

export const LLAMA_CPP_METRICS: ExpositionTable = {
  prefixes: ['llamacpp:'],
  modelLabel: 'model',
  rankLabels: [],
  gauges: {
    running: { names: ['llamacpp:requests_processing'], combine: 'sum' },
    waiting: { names: ['llamacpp:requests_deferred'], combine: 'sum' },
    kv_usage: { names: ['llamacpp:kv_cache_usage_ratio'], combine: 'max' },
  },
  rates: {
    prompt_tokens_per_second: { names: ['llamacpp:prompt_tokens_total'], combine: 'sum' },
    cached_tokens_per_second: { names: ['llamacpp:prompt_tokens_cached_total'], combine: 'sum' },
    output_tokens_per_second: { names: ['llamacpp:tokens_predicted_total'], combine: 'sum' },
    drafted_per_second: { names: ['llamacpp:spec_decode_num_draft_tokens_total'], combine: 'sum' },
    accepted_per_second: { names: ['llamacpp:spec_decode_num_accepted_tokens_total'], combine: 'sum' },
  },
  // Time spent in decode over calls of it: one call is one step of all busy slots.
  step: {
    sum: { names: ['llamacpp:tokens_predicted_seconds_total'], combine: 'sum' },
    count: { names: ['llamacpp:n_decode_total'], combine: 'sum' },
  },
  expected: [
    { names: ['llamacpp:requests_processing'], atStart: true, why: 'requests running at arrival' },
    { names: ['llamacpp:requests_deferred'], atStart: true, why: 'requests waiting at arrival' },
    { names: ['llamacpp:prompt_tokens_total'], atStart: true, why: 'prompt tokens' },
  ],
}
