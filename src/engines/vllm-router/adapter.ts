// The vLLM project's Rust router. It sends no spans and passes `traceparent` through unchanged, so joins hold across it; in P/D mode it
// replaces `x-request-id`.
import type { EngineAdapter } from '../adapter.ts'
import { VLLM_ROUTER_METRICS } from './metrics.ts'

export const vllmRouter: EngineAdapter = {
  name: 'vllm-router',
  title: 'vLLM router',
  vantage: 'gateway',
  seenVersions: ['0.1.17'],
  claims: () => false,
  observe: () => [],
  requestIds: () => [],
  exposition: VLLM_ROUTER_METRICS,
  response: { streamHeaders: 'unknown' },
  produces: [],
  unobservable: [{ what: 'every phase inside the router', instead: 'what lies between the client and the sidecar of the engine' }],
}
