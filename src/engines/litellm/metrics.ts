// LiteLLM's /metrics page: requests and tokens of the proxy, no state of any engine.
import type { ExpositionTable } from '../adapter.ts'

export const LITELLM_METRICS: ExpositionTable = {
  prefixes: ['litellm_'],
  modelLabel: 'requested_model',
  rankLabels: [],
  gauges: { running: { names: ['litellm_in_flight_requests'], combine: 'sum' } },
  rates: {
    prompt_tokens_per_second: { names: ['litellm_input_tokens_metric_total'], combine: 'sum' },
    cached_tokens_per_second: { names: ['litellm_input_cached_tokens_metric_total'], combine: 'sum' },
    output_tokens_per_second: { names: ['litellm_output_tokens_metric_total'], combine: 'sum' },
    requests_per_second: { names: ['litellm_proxy_total_requests_metric_total', 'litellm_requests_metric_total'], combine: 'sum' },
  },
  startTime: { names: ['process_start_time_seconds'], combine: 'max' },
  expected: [{ names: ['litellm_in_flight_requests'], atStart: true, why: 'requests in flight' }],
}
