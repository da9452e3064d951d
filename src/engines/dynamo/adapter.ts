// NVIDIA Dynamo: the frontend's spans as a gateway. The worker's own spans (`handle_payload`) tell only that it had the request; what
// happened inside comes from the engine in it, whose spans hang below them.
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import type { EngineAdapter } from '../adapter.ts'
import { countOf, numberOf, textOf } from '../attributes.ts'
import { nanos, phase, spanSeconds } from '../durations.ts'
import { gatewayObservation, isModelRoute } from '../gateway.ts'
import { spanTree } from '../span-tree.ts'
import { DYNAMO_METRICS } from './metrics.ts'

export const DYNAMO = 'dynamo'
const REQUEST = 'http-request'
const SELECT = 'kv_router.select_worker'
const PREPROCESS = 'request.preprocessing'
const ROUTE = 'kv_router.route_request'

const Source = {
  select: `dynamo spans ${SELECT}`,
  preprocess: `dynamo span ${PREPROCESS}`,
} as const

function observe(spans: readonly Span[]): Observation[] {
  const tree = spanTree(spans)
  return spans
    .filter((span) => span.name === REQUEST && isModelRoute(textOf(span.attributes, 'uri')))
    .map((root) => observeRequest(root, tree.subtree(root)))
}

function requestIds({ attributes }: Span): (string | null)[] {
  return [textOf(attributes, 'x_request_id'), textOf(attributes, 'request_id')]
}

function observeRequest(root: Span, spans: readonly Span[]): Observation {
  const { attributes } = root
  const named = (name: string) => spans.filter((span) => span.name === name)
  const selections = named(SELECT)
  const select = selections.length === 0 ? null : selections.reduce((sum, span) => sum + spanSeconds(span), 0)
  const preprocess = named(PREPROCESS)[0]
  // A string on 1.6.1.
  const timeToFirstToken = numberOf(attributes, 'ttft_ms')
  const workers = new Map(named(ROUTE).map((span) => [textOf(span.attributes, 'phase'), textOf(span.attributes, 'worker_id')]))
  return gatewayObservation({
    root,
    spans,
    requestIds: requestIds(root),
    phases: [
      ...phase('gateway.route', select, Source.select, 'measured'),
      ...phase('engine.tokenize', preprocess ? spanSeconds(preprocess) : null, Source.preprocess, 'measured'),
    ],
    boundaries: timeToFirstToken === null ? {} : { firstToken: root.startUnixNano + nanos(timeToFirstToken / 1000) },
    columns: {
      gateway: textOf(root.resource, 'service.name'),
      prompt_tokens: countOf(attributes, 'input_tokens'),
      output_tokens: countOf(attributes, 'output_tokens'),
      replica: workers.get('Aggregated') ?? workers.get('Decode') ?? null,
      prefill_replica: workers.get('Prefill') ?? null,
      decode_replica: workers.get('Decode') ?? null,
    },
  })
}

export const dynamo: EngineAdapter = {
  name: DYNAMO,
  title: 'NVIDIA Dynamo frontend',
  vantage: 'gateway',
  seenVersions: ['1.6.1'],
  claims: ({ scopeName, resource }) => scopeName.startsWith('dynamo') || String(resource['service.name'] ?? '').startsWith('dynamo-'),
  observe,
  requestIds,
  exposition: DYNAMO_METRICS,
  response: { streamHeaders: 'unknown' },
  produces: [
    { phase: 'gateway.route', from: 'B', to: 'C', source: Source.select, exactness: 'measured' },
    { phase: 'engine.tokenize', from: 'C', to: 'D', source: Source.preprocess, exactness: 'measured' },
  ],
  unobservable: [
    { what: 'queue, prefill and transfer inside a worker', instead: "the engine's own spans below handle_payload" },
    { what: 'KV transfer', instead: 'nothing: kv_transfer_estimated_latency_ms was seen 0 on a real wait' },
    { what: 'preprocessing without DYN_LIFECYCLE_TRACE_ENABLED', instead: 'what is left at the gateway' },
  ],
}
