// SGLang's Rust router (`smg`): one span a request, which starts a trace of its own; its duration histograms and `latency` stop at the
// response headers.
import { Otel } from '@longpole/model/conventions/attributes'
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import type { EngineAdapter } from '../adapter.ts'
import { countOf, numberOf, secondsOf, textOf } from '../attributes.ts'
import { nanos } from '../durations.ts'
import { gatewayObservation, isModelRoute, outcomeOf } from '../gateway.ts'
import { SGLANG_ROUTER_METRICS } from './metrics.ts'

export const SGLANG_ROUTER = 'sglang-router'
const SCOPE = 'smg'

function requestIds({ attributes }: Span): (string | null)[] {
  return [textOf(attributes, 'request_id')]
}

function observe(spans: readonly Span[], trace: readonly Span[]): Observation[] {
  return spans
    .filter((span) => isModelRoute(textOf(span.attributes, 'uri')))
    .map((root) => {
      const secondsToHeaders = scaled(numberOf(root.attributes, 'latency'), 1e-6)
      const observation = gatewayObservation({
        root,
        spans: [root],
        requestIds: requestIds(root),
        phases: [],
        boundaries: secondsToHeaders === null ? {} : { headers: root.startUnixNano + nanos(secondsToHeaders) },
        columns: { gateway: textOf(root.resource, Otel.serviceName), ...outcomeOf(countOf(root.attributes, 'status_code')) },
      })
      return { ...observation, endUnixNano: endOf(root, secondsToHeaders, trace) }
    })
}

/**
 * The span ends when the router lets go of the request, in P/D up to seconds after the answer's last byte. Below it SGLang says how long
 * the answer went on after its first token, and its headers leave with that token: headers + that, each on its own clock. Never later
 * than the span's end.
 */
function endOf(root: Span, secondsToHeaders: number | null, trace: readonly Span[]): bigint {
  if (secondsToHeaders === null) return root.endUnixNano
  const after = trace
    .filter(({ parentSpanId }) => parentSpanId === root.spanId)
    .flatMap(({ attributes }) => {
      const first = secondsOf(attributes, 'gen_ai.latency.time_to_first_token')
      const whole = secondsOf(attributes, 'gen_ai.latency.e2e')
      // An answer that is not streamed has its headers at the end.
      return first === null || whole === null ? [] : [secondsToHeaders >= whole ? 0 : whole - first]
    })
  if (after.length === 0) return root.endUnixNano
  const end = root.startUnixNano + nanos(secondsToHeaders + Math.max(...after))
  return end < root.endUnixNano ? end : root.endUnixNano
}

function scaled(value: number | null, factor: number): number | null {
  return value === null || value < 0 ? null : value * factor
}

export const sglangRouter: EngineAdapter = {
  name: SGLANG_ROUTER,
  title: 'SGLang router',
  vantage: 'gateway',
  seenVersions: ['0.3.2'],
  claims: ({ scopeName }) => scopeName === SCOPE,
  observe,
  requestIds,
  exposition: SGLANG_ROUTER_METRICS,
  response: { streamHeaders: 'unknown' },
  produces: [],
  unobservable: [
    { what: 'queue and routing of one request', instead: 'what lies between the router and the engine' },
    { what: "the caller's trace", instead: 'joined by x-request-id: with tracing on, the router starts a trace of its own' },
  ],
}
