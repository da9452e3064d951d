// The vLLM project's router: requests at its workers. Its durations stop at the response headers, so none of them is read.
import type { ExpositionTable } from '../adapter.ts'

export const VLLM_ROUTER_METRICS: ExpositionTable = {
  prefixes: ['vllm_router_'],
  modelLabel: 'model',
  rankLabels: [],
  gauges: { running: { names: ['vllm_router_running_requests'], combine: 'sum' } },
  rates: { requests_per_second: { names: ['vllm_router_requests_total', 'vllm_router_pd_requests_total'], combine: 'sum' } },
  expected: [{ names: ['vllm_router_active_workers'], atStart: true, why: 'workers known' }],
}
