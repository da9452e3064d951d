// A span as a simulated process would send it, before OpenTelemetry's encoder. Times are virtual seconds of the process's own clock.

export type SpanAttribute = string | number | boolean | string[]
export type SpanAttributes = Record<string, SpanAttribute>

/** SpanKind of OTLP's API (not of its wire format): what @opentelemetry/otlp-transformer takes. */
export const Kind = { internal: 0, server: 1, client: 2 } as const

/** A process: its resource, its tracer, its clock, and where it sends to. */
export interface Sender {
  key: string
  resource: SpanAttributes
  scope: { name: string; version: string }
  /** Seconds by which its clock runs ahead of true time. */
  clockOffset: number
  /** Name of the replica whose sidecar takes its spans; null: the hub. */
  sidecarOf: string | null
}

export interface SimSpan {
  sender: Sender
  traceId: string
  spanId: string
  /** Empty for a root. */
  parentSpanId: string
  name: string
  kind: number
  start: number
  end: number
  attributes: SpanAttributes
  failed: boolean
  traceState?: string
}
