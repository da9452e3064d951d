// The /metrics pages that are known, for the sampler: one line an engine, those of gateways after those of engines, because a page can
// hold both. Apart from index.ts so that the sidecar's scraper loads no span mapping.
import type { ExpositionTable } from './adapter.ts'
import { DYNAMO_METRICS } from './dynamo/metrics.ts'
import { LITELLM_METRICS } from './litellm/metrics.ts'
import { LLAMA_CPP_METRICS } from './llama-cpp/metrics.ts'
import { LLM_D_METRICS } from './llm-d/metrics.ts'
import { SGLANG_METRICS } from './sglang/metrics.ts'
import { SGLANG_ROUTER_METRICS } from './sglang-router/metrics.ts'
import { VLLM_METRICS } from './vllm/metrics.ts'
import { VLLM_ROUTER_METRICS } from './vllm-router/metrics.ts'

export interface NamedExposition {
  engine: string
  table: ExpositionTable
}

export const EXPOSITIONS: readonly NamedExposition[] = [
  { engine: 'vllm', table: VLLM_METRICS },
  { engine: 'sglang', table: SGLANG_METRICS },
  { engine: 'llama-cpp', table: LLAMA_CPP_METRICS },
  { engine: 'dynamo', table: DYNAMO_METRICS },
  { engine: 'sglang-router', table: SGLANG_ROUTER_METRICS },
  { engine: 'vllm-router', table: VLLM_ROUTER_METRICS },
  { engine: 'litellm', table: LITELLM_METRICS },
  { engine: 'llm-d', table: LLM_D_METRICS },
]
