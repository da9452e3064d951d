// LiteLLM proxy: its server span and everything below as one gateway. It sends no traceparent to the worker unless told to, so the
// engine's half is found by request id or not at all.
import { GenAi, Otel } from '@longpole/model/conventions/attributes'
import type { Observation } from '@longpole/model/observation'
import { type Span, SpanKind } from '@longpole/model/span'
import type { EngineAdapter } from '../adapter.ts'
import { countOf, firstTextOf, secondsOf, textOf } from '../attributes.ts'
import { between, nanos, phase } from '../durations.ts'
import { gatewayObservation, isModelRoute, outcomeOf } from '../gateway.ts'
import { spanTree } from '../span-tree.ts'
import { LITELLM_METRICS } from './metrics.ts'

export const LITELLM = 'litellm'
const Source = { route: 'litellm request received to upstream call' } as const

const RECEIVED = 'Received Proxy Server Request'

function observe(spans: readonly Span[]): Observation[] {
  const tree = spanTree(spans)
  const roots = spans
    .filter((span) => span.kind === SpanKind.server && isModelRoute(textOf(span.attributes, Otel.httpRoute)))
    .filter((span) => !tree.byId.has(span.parentSpanId))
  const requests = new Map(roots.map((root) => [root, tree.subtree(root)]))
  for (const inner of roots.filter(({ name }) => name === RECEIVED)) {
    const outer = roots.find((root) => isAround(root, inner) && (requests.get(root) ?? []).every(({ name }) => name !== RECEIVED))
    if (outer === undefined) continue
    requests.set(outer, [...(requests.get(outer) ?? []), ...(requests.get(inner) ?? [])])
    requests.delete(inner)
  }
  return [...requests].map(([root, below]) => observeRequest(root, below))
}

/** Where the caller sent a `traceparent`, the web framework's span and the proxy's own are siblings below the caller's. */
function isAround(outer: Span, inner: Span): boolean {
  // Logged after the answer: the inner one may end a little later.
  const inside = outer.startUnixNano <= inner.startUnixNano && inner.startUnixNano <= outer.endUnixNano
  return outer.name !== RECEIVED && outer.parentSpanId === inner.parentSpanId && inside
}

/** `litellm_request` in the default layout, a GenAI client span (`chat <model>`) with LITELLM_OTEL_V2. */
function isUpstreamCall(span: Span): boolean {
  return span.name === 'litellm_request' || (span.kind === SpanKind.client && GenAi.operationName in span.attributes)
}

function requestIds({ attributes }: Span): (string | null)[] {
  return [textOf(attributes, GenAi.responseId)]
}

function observeRequest(root: Span, spans: readonly Span[]): Observation {
  const calls = spans.filter(isUpstreamCall)
  const call = calls.at(-1)
  const attributes = call?.attributes ?? {}
  const firstChunk = secondsOf(attributes, GenAi.responseTimeToFirstChunk)
  return gatewayObservation({
    root,
    spans,
    requestIds: call === undefined ? [] : requestIds(call),
    phases: phase('gateway.route', between(root.startUnixNano, calls[0]?.startUnixNano), Source.route, 'residual'),
    boundaries: call === undefined || firstChunk === null ? {} : { firstToken: call.startUnixNano + nanos(firstChunk) },
    columns: {
      gateway: textOf(root.resource, Otel.serviceName),
      model: textOf(attributes, GenAi.requestModel),
      prompt_tokens: countOf(attributes, GenAi.usageInputTokens),
      output_tokens: countOf(attributes, GenAi.usageOutputTokens),
      cached_tokens: countOf(attributes, GenAi.usageCacheReadInputTokens),
      max_tokens: countOf(attributes, GenAi.requestMaxTokens),
      finish_reason: firstTextOf(attributes, GenAi.responseFinishReasons),
      ...outcomeOf(countOf(root.attributes, Otel.httpStatus)),
    },
  })
}

export const litellm: EngineAdapter = {
  name: LITELLM,
  title: 'LiteLLM proxy',
  vantage: 'gateway',
  seenVersions: ['1.106.2'],
  claims: ({ scopeName, resource }) => scopeName === LITELLM || (scopeName === 'fastapi' && resource[Otel.serviceName] === LITELLM),
  observe,
  requestIds,
  exposition: LITELLM_METRICS,
  response: { streamHeaders: 'unknown' },
  produces: [{ phase: 'gateway.route', from: 'B', to: 'C', source: Source.route, exactness: 'residual' }],
  unobservable: [
    { what: 'the wait for the event loop', instead: 'inside gateway.route' },
    { what: 'anything behind the upstream call', instead: "the engine's spans, where traceparent is forwarded" },
  ],
}
