// A decoded OpenTelemetry span, whatever sent it. Written by src/wire, read by src/engines and the hub's processors.

export type AttributeValue = string | number | bigint | boolean | AttributeValue[] | { [key: string]: AttributeValue } | Uint8Array | null
export type Attributes = Record<string, AttributeValue>

/** OTLP SpanKind. */
export const SpanKind = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const
/** OTLP StatusCode. */
export const StatusCode = { unset: 0, ok: 1, error: 2 } as const

export interface SpanEvent {
  name: string
  timeUnixNano: bigint
  attributes: Attributes
}

export interface SpanLink {
  traceId: string
  spanId: string
  attributes: Attributes
}

export interface Span {
  /** 32 lower-case hexadecimal digits. */
  traceId: string
  /** 16 lower-case hexadecimal digits. */
  spanId: string
  /** Empty for a root span. */
  parentSpanId: string
  traceState: string
  /** W3C trace flags and OTLP's remote bits, as sent. */
  flags: number
  name: string
  kind: number
  startUnixNano: bigint
  endUnixNano: bigint
  attributes: Attributes
  events: SpanEvent[]
  links: SpanLink[]
  statusCode: number
  statusMessage: string
  /** Attributes of the resource and the instrumentation scope, shared by reference between the spans of one batch. */
  resource: Attributes
  scopeName: string
  scopeVersion: string
}
