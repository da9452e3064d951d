// SGLang's router: requests at its workers. Its durations stop at the response headers, so none of them is read.
import type { ExpositionTable } from '../adapter.ts'

export const SGLANG_ROUTER_METRICS: ExpositionTable = {
  prefixes: ['smg_'],
  modelLabel: 'model',
  rankLabels: [],
  gauges: { running: { names: ['smg_worker_requests_active'], combine: 'sum' } },
  rates: { requests_per_second: { names: ['smg_router_requests_total'], combine: 'sum' } },
  expected: [{ names: ['smg_worker_pool_size'], atStart: true, why: 'workers known' }],
}
