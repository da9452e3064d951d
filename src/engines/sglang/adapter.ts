// SGLang: what it says, what it cannot say.
import type { EngineAdapter } from '../adapter.ts'
import { SGLANG_METRICS } from './metrics.ts'
import { SglangSource } from './phases.ts'
import { claims, observe, requestIds, SGLANG } from './spans.ts'

export const sglang: EngineAdapter = {
  name: SGLANG,
  title: 'SGLang',
  vantage: 'engine',
  seenVersions: ['0.5.23'],
  claims,
  observe,
  requestIds,
  exposition: SGLANG_METRICS,
  // An OpenAI stream's headers, role chunk and first token leave together.
  response: { streamHeaders: 'H' },
  produces: [
    { phase: 'engine.tokenize', from: 'C', to: 'D', source: SglangSource.tokenize, exactness: 'measured' },
    { phase: 'engine.admit', from: 'D', to: 'E', source: SglangSource.admit, exactness: 'residual' },
    { phase: 'engine.admit', from: 'D', to: 'E', source: SglangSource.admitDecode, exactness: 'residual' },
    { phase: 'engine.queue', from: 'E', to: 'F', source: SglangSource.queue, exactness: 'measured' },
    { phase: 'engine.queue', from: 'E', to: 'F', source: SglangSource.queueWithBootstrap, exactness: 'measured' },
    { phase: 'engine.queue', from: 'E', to: 'F', source: SglangSource.queueDecode, exactness: 'measured' },
    { phase: 'engine.prefill', from: 'F', to: 'G', source: SglangSource.prefill, exactness: 'measured' },
    { phase: 'kv.transfer', from: 'G', to: 'G', source: SglangSource.transferTightest, exactness: 'upper_bound' },
    { phase: 'kv.transfer', from: 'G', to: 'G', source: SglangSource.transferPrefill, exactness: 'upper_bound' },
    { phase: 'kv.transfer', from: 'G', to: 'G', source: SglangSource.transferDecode, exactness: 'upper_bound' },
    { phase: 'engine.emit', from: 'G', to: 'H', source: SglangSource.emit, exactness: 'residual' },
    { phase: 'engine.decode', from: 'G', to: 'J', source: SglangSource.decode, exactness: 'measured' },
    { phase: 'engine.decode', from: 'G', to: 'J', source: SglangSource.decodeHop, exactness: 'measured' },
  ],
  unobservable: [
    { what: 'detokenization', instead: 'inside engine.emit, and in decode' },
    { what: 'KV movement apart from polling', instead: 'the tightest upper bound of two slices' },
    { what: 'rejected requests', instead: 'the sidecar or the SDK: the root span is never sent' },
    { what: 'load of experts per request', instead: 'nothing' },
  ],
}
