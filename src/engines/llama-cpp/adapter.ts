// llama.cpp's server: no spans at all; its /metrics page has depth and totals, no latency.
import type { EngineAdapter } from '../adapter.ts'
import { LLAMA_CPP_METRICS } from './metrics.ts'

export const llamaCpp: EngineAdapter = {
  name: 'llama-cpp',
  title: 'llama.cpp server',
  vantage: 'engine',
  seenVersions: ['2026.10.11549'],
  claims: () => false,
  observe: () => [],
  requestIds: () => [],
  exposition: LLAMA_CPP_METRICS,
  response: { streamHeaders: 'unknown' },
  produces: [],
  unobservable: [
    {
      what: 'queue, prefill and decode of one request',
      instead: 'request sent to first token at the sidecar; ask for timings in the body',
    },
    { what: 'any distribution of latencies', instead: "Longpole's own histograms" },
  ],
}
