// SGLang's Rust router (`smg`): one span a request, which starts a trace of its own and ends with the response's last byte; its
// duration histograms and `latency` stop at the response headers.
import { Otel } from '@longpole/model/conventions/attributes'
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import type { EngineAdapter } from '../adapter.ts'
import { countOf, numberOf, textOf } from '../attributes.ts'
import { nanos } from '../durations.ts'
import { gatewayObservation, isModelRoute, outcomeOf } from '../gateway.ts'
import { byStart } from '../span-tree.ts'
import { SGLANG_ROUTER_METRICS } from './metrics.ts'

export const SGLANG_ROUTER = 'sglang-router'
const SCOPE = 'smg'

function observe(spans: readonly Span[]): Observation[] {
  return [...spans]
    .sort(byStart)
    .filter((span) => isModelRoute(textOf(span.attributes, 'uri')))
    .map((root) => {
      const microsToHeaders = numberOf(root.attributes, 'latency')
      return gatewayObservation({
        root,
        spans: [root],
        requestIds: [textOf(root.attributes, 'request_id')],
        phases: [],
        boundaries: microsToHeaders === null ? {} : { headers: root.startUnixNano + nanos(microsToHeaders / 1e6) },
        columns: { gateway: textOf(root.resource, Otel.serviceName), ...outcomeOf(countOf(root.attributes, 'status_code')) },
      })
    })
}

export const sglangRouter: EngineAdapter = {
  name: SGLANG_ROUTER,
  title: 'SGLang router',
  vantage: 'gateway',
  seenVersions: ['0.3.2'],
  claims: ({ scopeName }) => scopeName === SCOPE,
  observe,
  exposition: SGLANG_ROUTER_METRICS,
  response: { streamHeaders: 'unknown' },
  produces: [],
  unobservable: [
    { what: 'queue and routing of one request', instead: 'what lies between the router and the engine' },
    { what: "the caller's trace", instead: 'joined by x-request-id: with tracing on, the router starts a trace of its own' },
  ],
}
