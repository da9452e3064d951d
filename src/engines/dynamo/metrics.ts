// Pages of a Dynamo frontend and of its workers. A worker that passes its engine's own families through is read as that engine.
import type { ExpositionTable } from '../adapter.ts'

export const DYNAMO_METRICS: ExpositionTable = {
  prefixes: ['dynamo_'],
  modelLabel: 'model',
  rankLabels: [],
  gauges: {
    running: { names: ['dynamo_frontend_inflight_requests', 'dynamo_component_inflight_requests'], combine: 'sum' },
    waiting: { names: ['dynamo_frontend_queued_requests', 'dynamo_work_handler_queue_depth'], combine: 'sum' },
  },
  rates: {
    prompt_tokens_per_second: { names: ['dynamo_frontend_input_sequence_tokens_sum'], combine: 'sum' },
    cached_tokens_per_second: { names: ['dynamo_frontend_cached_tokens_sum'], combine: 'sum' },
    output_tokens_per_second: { names: ['dynamo_frontend_output_tokens_total'], combine: 'sum' },
    requests_per_second: { names: ['dynamo_frontend_requests_total', 'dynamo_component_requests_total'], combine: 'sum' },
  },
  expected: [{ names: ['dynamo_component_uptime_seconds'], atStart: true, why: 'the page is that of a Dynamo process' }],
}
