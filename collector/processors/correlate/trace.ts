// One trace as the correlator holds it: its distinct spans with the time each was first received, what was made of them, and the
// records already written from it.
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import { type ParentMap, spanKey } from './join.ts'

/** A record that is in the store: its identity is fixed. */
export interface WrittenRecord {
  recordId: string
  receivedUnixNano: bigint
  /** 0: only a row that says that the request is open. */
  version: number
}

export interface Trace {
  traceId: string
  spans: Map<string, Span>
  /** Unix nanoseconds, by span id. */
  received: Map<string, bigint>
  /** Rough size in memory. */
  bytes: number
  /** Monotonic ms at which the first of its spans was received. */
  firstMs: number
  /** Monotonic ms of the last new span. */
  touchedMs: number
  /** Spans that must be read from the store before it may be looked at: it was closed and forgotten. */
  mustLoad: boolean
  written: WrittenRecord[]
  /** Null while spans came since they were made. */
  observations: Observation[] | null
  requestIds: string[]
  /** Monotonic ms before which it is not written: its spans are being read back, and more of them may follow. */
  restMs: number
  /** Monotonic ms of the next look. */
  dueMs: number
}

export function newTrace(traceId: string): Trace {
  return {
    traceId,
    spans: new Map(),
    received: new Map(),
    bytes: TRACE_BYTES,
    firstMs: Number.POSITIVE_INFINITY,
    touchedMs: 0,
    mustLoad: false,
    written: [],
    observations: null,
    requestIds: [],
    restMs: 0,
    dueMs: Number.POSITIVE_INFINITY,
  }
}

const TRACE_BYTES = 600
const SPAN_BYTES = 500
const ATTRIBUTE_BYTES = 48

/** Rough heap size of a span; shared resources are not counted. */
export function sizeOf(span: Span): number {
  let bytes = SPAN_BYTES + span.name.length
  for (const key in span.attributes) {
    const value = span.attributes[key]
    bytes += ATTRIBUTE_BYTES + (typeof value === 'string' ? value.length : typeof value === 'object' ? 200 : 0)
  }
  return bytes + span.events.length * 300 + span.links.length * 200
}

/** Parents of all spans of the traces, for the climb from a span to the observation above it. */
export function parentsOf(traces: readonly Trace[]): ParentMap {
  const parents = new Map<string, string>()
  for (const { traceId, spans } of traces) for (const span of spans.values()) parents.set(spanKey(traceId, span.spanId), span.parentSpanId)
  return parents
}
