// vLLM: what it says, what it cannot say.
import type { EngineAdapter } from '../adapter.ts'
import { VLLM_METRICS } from './metrics.ts'
import { claims, observe, requestIds, VLLM, VllmSource } from './spans.ts'

export const vllm: EngineAdapter = {
  name: VLLM,
  title: 'vLLM',
  vantage: 'engine',
  seenVersions: ['0.32.0'],
  claims,
  observe,
  requestIds,
  exposition: VLLM_METRICS,
  // A stream's headers leave after render and tokenize, before the request goes to the engine core.
  response: { streamHeaders: 'D' },
  produces: [
    { phase: 'engine.tokenize', from: 'C', to: 'E', source: VllmSource.residual, exactness: 'upper_bound' },
    { phase: 'engine.queue', from: 'E', to: 'F', source: VllmSource.queue, exactness: 'measured' },
    { phase: 'engine.queue_or_kv', from: 'E', to: 'F', source: VllmSource.queue, exactness: 'measured' },
    { phase: 'engine.prefill', from: 'F', to: 'G', source: VllmSource.prefill, exactness: 'measured' },
    { phase: 'engine.decode', from: 'G', to: 'J', source: VllmSource.decode, exactness: 'measured' },
    { phase: 'engine.decode', from: 'G', to: 'J', source: VllmSource.decodeOfMany, exactness: 'measured' },
  ],
  unobservable: [
    { what: 'tokenization apart from the wait for the running step', instead: 'split at the response headers where a sidecar saw them' },
    { what: 'KV transfer of one request', instead: 'inside engine.queue_or_kv on a decode server' },
    { what: 'aborted and rejected requests', instead: 'the sidecar or the SDK: no span is sent' },
    { what: 'cached tokens and finish reason', instead: 'the response body as the sidecar or the SDK saw it' },
    { what: 'preempted time', instead: 'a gap in the stream; inside engine.decode' },
    { what: 'rank, detokenization, load of experts', instead: 'nothing' },
  ],
}
