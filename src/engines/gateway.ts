// What the adapters of gateways and routers share: one server span and everything below it in the same process group as one observation.
import type { Observation } from '@longpole/model/observation'
import type { PhaseDuration } from '@longpole/model/phase'
import type { RequestColumns } from '@longpole/model/request-columns'
import type { Span } from '@longpole/model/span'
import { clockOf } from './attributes.ts'

/** Routes that are one call of a model. */
const ROUTE = /\/(chat\/completions|completions|responses|messages|embeddings|generate)\/?(\?.*)?$/

export function isModelRoute(path: string | null): boolean {
  return path !== null && ROUTE.test(path)
}

export interface GatewayRequest {
  /** The span that covers the request in the gateway. */
  root: Span
  /** It and what belongs to it: engines' spans find their way up through them. */
  spans: readonly Span[]
  requestIds: readonly (string | null)[]
  phases: PhaseDuration[]
  boundaries?: Observation['boundaries']
  columns: Partial<RequestColumns>
}

export function gatewayObservation({ root, spans, requestIds, phases, boundaries, columns }: GatewayRequest): Observation {
  return {
    vantage: 'gateway',
    role: 'attempt',
    traceId: root.traceId,
    spanId: root.spanId,
    parentSpanId: root.parentSpanId,
    spanIds: spans.map((span) => span.spanId),
    requestIds: [...new Set(requestIds.filter((id) => id !== null))],
    startUnixNano: root.startUnixNano,
    endUnixNano: root.endUnixNano,
    clock: clockOf(root),
    boundaries: { received: root.startUnixNano, ...boundaries },
    phases,
    overlays: [],
    columns: Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null && value !== undefined)),
  }
}

/** Outcome by the status the gateway answered with; nothing where it is not known. */
export function outcomeOf(httpStatus: number | null): Partial<RequestColumns> {
  if (httpStatus === null) return {}
  const error = httpStatus >= 400 ? { error_class: `http_${httpStatus}` } : {}
  const outcome = httpStatus < 400 ? 'ok' : httpStatus < 500 ? 'rejected' : 'error'
  return { http_status: httpStatus, outcome, ...error }
}
