// Spans and samples as OTLP bodies, written by OpenTelemetry's own encoder: a mistake in our decoder cannot hide behind our own writer.
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { Sender, SimSpan } from './span.ts'

type ReadableSpans = Parameters<(typeof ProtobufTraceSerializer)['serializeRequest']>[0]
type ReadableSpan = ReadableSpans[number]

const SAMPLED = 1

/** One ExportTraceServiceRequest. `instant` turns virtual seconds into Unix nanoseconds. */
export function encodeSpans(spans: readonly SimSpan[], instant: (seconds: number) => bigint): Uint8Array {
  const resources = new Map<Sender, ReadableSpan['resource']>()
  const body = ProtobufTraceSerializer.serializeRequest(spans.map((span) => readable(span, instant, resources)))
  if (body === undefined) throw new Error('the OTLP encoder gave nothing')
  return body
}

function readable(span: SimSpan, instant: (seconds: number) => bigint, resources: Map<Sender, ReadableSpan['resource']>): ReadableSpan {
  const { sender } = span
  let resource = resources.get(sender)
  if (resource === undefined) {
    resource = { attributes: sender.resource, merge: () => resource, getRawAttributes: () => [] } as unknown as ReadableSpan['resource']
    resources.set(sender, resource)
  }
  const start = hrTime(instant(span.start + sender.clockOffset))
  const end = hrTime(instant(span.end + sender.clockOffset))
  const traceState = span.traceState === undefined ? undefined : { serialize: () => span.traceState as string }
  const context = (spanId: string) => ({ traceId: span.traceId, spanId, traceFlags: SAMPLED, traceState })
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => context(span.spanId),
    parentSpanContext: span.parentSpanId === '' ? undefined : { ...context(span.parentSpanId), isRemote: span.kind === 1 },
    startTime: start,
    endTime: end,
    duration: [0, 0],
    status: { code: span.failed ? 2 : 0 },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: sender.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as unknown as ReadableSpan
}

function hrTime(unixNano: bigint): [number, number] {
  return [Number(unixNano / 1_000_000_000n), Number(unixNano % 1_000_000_000n)]
}
