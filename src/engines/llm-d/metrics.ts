// The endpoint picker's page. Every value stands there under `llm_d_epp_` and again under its older names.
import type { ExpositionTable } from '../adapter.ts'

export const LLM_D_METRICS: ExpositionTable = {
  prefixes: ['llm_d_epp_', 'inference_objective_', 'inference_extension_', 'inference_pool_'],
  modelLabel: 'model_name',
  rankLabels: [],
  gauges: {
    running: { names: ['llm_d_epp_request_running', 'inference_objective_running_requests'], combine: 'sum' },
    waiting: { names: ['llm_d_epp_flow_control_queue_size', 'inference_extension_flow_control_queue_size'], combine: 'sum' },
  },
  rates: { requests_per_second: { names: ['llm_d_epp_request_total', 'inference_objective_request_total'], combine: 'sum' } },
  expected: [
    { names: ['llm_d_epp_ready_pods', 'llm_d_epp_ready_endpoints', 'inference_pool_ready_pods'], atStart: true, why: 'endpoints known' },
  ],
}
