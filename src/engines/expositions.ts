// The /metrics pages that are known, for the sampler: one line an engine. Apart from index.ts so that the sidecar's scraper loads no
// span mapping.
import type { ExpositionTable } from './adapter.ts'
import { SGLANG_METRICS } from './sglang/metrics.ts'
import { VLLM_METRICS } from './vllm/metrics.ts'

export interface NamedExposition {
  engine: string
  table: ExpositionTable
}

export const EXPOSITIONS: readonly NamedExposition[] = [
  { engine: 'vllm', table: VLLM_METRICS },
  { engine: 'sglang', table: SGLANG_METRICS },
]
