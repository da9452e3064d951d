// Records, spans and other values as the API shows them: instants as text, phases in path order with source and exactness.
import type { ApiOpenRequest, ApiPhase, ApiRequest, ApiSpan, Json } from '@longpole/model/api'
import type { OpenRequest } from '@longpole/model/observation'
import type { PhaseDuration } from '@longpole/model/phase'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Span } from '@longpole/model/span'

/** Replacer for JSON.stringify: whole numbers beyond 2^53 as text, bytes as base64. */
export function toJsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

export function presentRequest(record: RequestRecord): ApiRequest {
  return { ...record, phases: record.phases.map(presentPhase) } as unknown as ApiRequest
}

function presentPhase({ phase, seconds, source, exactness, errorSeconds, parts }: PhaseDuration): ApiPhase {
  return { phase, seconds, source, exactness, error_seconds: errorSeconds ?? null, ...(parts === undefined ? {} : { parts }) }
}

export function presentSpan(span: Span): ApiSpan {
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: span.parentSpanId,
    name: span.name,
    kind: span.kind,
    start_unix_ns: span.startUnixNano.toString(),
    end_unix_ns: span.endUnixNano.toString(),
    attributes: span.attributes,
    resource: span.resource,
    scope: span.scopeName,
    status_code: span.statusCode,
  }
}

export function presentOpen(request: OpenRequest, late: readonly string[]): ApiOpenRequest {
  const { columns } = request
  return {
    trace_id: request.traceId,
    span_id: request.spanId,
    request_id: request.requestId,
    start_unix_ns: request.startUnixNano.toString(),
    observed_unix_ns: request.observedUnixNano.toString(),
    age_seconds: request.ageSeconds,
    phase: request.phase,
    model: columns.model ?? null,
    replica: columns.replica ?? null,
    cluster: columns.cluster ?? null,
    region: columns.region ?? null,
    tenant: columns.tenant ?? null,
    route: columns.route ?? null,
    prompt_class: columns.prompt_class ?? null,
    late: [...late],
  }
}

/** A value with its instants as text, for shapes that are otherwise the model's own. */
export function presentJson<T>(value: T): Json<T> {
  return JSON.parse(JSON.stringify(value, toJsonValue))
}
