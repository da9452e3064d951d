// The two headers that the servers join by: `traceparent` of the attempt's span and `x-request-id`.
import { Headers as Names } from '@longpole/model/conventions/attributes'
import { type Context, context, createContextKey, propagation, trace } from '@opentelemetry/api'

/** The key by which OpenTelemetry's own instrumentations are told to keep still (opentelemetry-core, suppress-tracing.ts). */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/**
 * Under this context the host's HTTP instrumentation makes no span of its own below the attempt and, above all, adds no second
 * `traceparent` header.
 */
export function quiet(base: Context): Context {
  return base.setValue(SUPPRESS_TRACING, true)
}

/** Where the request belongs: the active span; else a `traceparent` that the caller put on the request; else nowhere. */
export function parentContext(headers: Headers): Context {
  const active = context.active()
  if (trace.getSpanContext(active) !== undefined) return active
  return fromHeader(headers, active) ?? active
}

/** W3C Trace Context level 1, section 3.2. */
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/

function fromHeader(headers: Headers, base: Context): Context | undefined {
  const match = TRACEPARENT.exec(headers.get(Names.traceparent) ?? '')
  if (match === null) return undefined
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string]
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return trace.setSpanContext(base, spanContext)
}

/** Writes the headers. Baggage and further formats come from the host's own propagator; without a valid span nothing is replaced. */
export function injectTrace(attempt: Context, headers: Headers): void {
  const spanContext = trace.getSpanContext(attempt)
  if (spanContext === undefined || /^0*$/.test(spanContext.traceId)) return
  propagation.inject(attempt, headers, { set: (carrier, key, value) => carrier.set(key, value) })
  const flags = (spanContext.traceFlags & 0xff).toString(16).padStart(2, '0')
  headers.set(Names.traceparent, `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`)
  const state = spanContext.traceState?.serialize()
  if (state) headers.set(Names.tracestate, state)
}

/** The caller's own id is kept; otherwise `own` is called for one. Returns what is sent. */
export function injectRequestId(headers: Headers, own: () => string): string {
  const existing = headers.get(Names.requestId)
  if (existing !== null && existing !== '') return existing
  const id = own()
  headers.set(Names.requestId, id)
  return id
}
