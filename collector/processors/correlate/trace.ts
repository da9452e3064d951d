// One trace as the correlator holds it: its distinct spans with the time each was first received, what was made of them, and the
// records already written from it.
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import { type ParentMap, spanKey } from './join.ts'

/** A span with the time it was first received, which never changes. */
export interface ReceivedSpan {
  span: Span
  receivedUnixNano: bigint
}

/** A record that is in the store: its identity is fixed. */
export interface WrittenRecord {
  recordId: string
  receivedUnixNano: bigint
  /** 0: only a row that says that the request is open. */
  version: number
}

// Measured on Node 24 with spans of 0, 15, 40 and 100 attributes: within a quarter of the heap that they take.
const TRACE_BYTES = 500
const SPAN_BYTES = 250
const ATTRIBUTE_BYTES = 24
/** Beyond so many an object becomes a hash table. */
const FEW_ATTRIBUTES = 32
const HASHED_ATTRIBUTE_BYTES = 90
const EVENT_BYTES = 200
const LINK_BYTES = 250
/** Beyond so many spans an index is quicker than a look at each. */
const MAX_SCANNED = 12

export class Trace {
  readonly traceId: string
  /** Distinct, in the order in which they came. */
  readonly held: ReceivedSpan[] = []
  /** `open`: something is not written yet; `closed`: kept for amendments; `gone`: no longer held. */
  state: 'open' | 'closed' | 'gone' = 'gone'
  /** Rough size in memory. */
  bytes = TRACE_BYTES
  /** Unix nanoseconds at which the first of its spans was received; null while it has none. */
  firstUnixNano: bigint | null = null
  /** Monotonic ms of the last new span. */
  touchedMs = 0
  /** Monotonic ms at which it was closed. */
  closedMs = 0
  /** Spans that must be read from the store before it may be looked at: it was closed and forgotten. */
  mustLoad = false
  written: WrittenRecord[] = []
  /** Null while spans came since they were made. */
  observations: Observation[] | null = null
  /** Those by which it is found; see request-ids.ts. */
  requestIds: string[] = []
  /** Monotonic ms before which it is not written: its spans are being read back, and more of them may follow. */
  restMs = 0
  /** The slot of the next look; see due-slots.ts. */
  slot = -1
  private index: Map<string, ReceivedSpan> | null = null

  constructor(traceId: string) {
    this.traceId = traceId
  }

  find(spanId: string): ReceivedSpan | undefined {
    if (this.index !== null) return this.index.get(spanId)
    for (let at = 0; at < this.held.length; at++) {
      const entry = this.held[at] as ReceivedSpan
      if (entry.span.spanId === spanId) return entry
    }
    return undefined
  }

  /** `entry` is not there yet. */
  add(entry: ReceivedSpan): void {
    const { held } = this
    held.push(entry)
    if (this.firstUnixNano === null || entry.receivedUnixNano < this.firstUnixNano) this.firstUnixNano = entry.receivedUnixNano
    if (this.index !== null) this.index.set(entry.span.spanId, entry)
    else if (held.length > MAX_SCANNED) this.index = new Map(held.map((known) => [known.span.spanId, known]))
  }

  spans(): Span[] {
    const spans: Span[] = []
    for (let at = 0; at < this.held.length; at++) spans.push((this.held[at] as ReceivedSpan).span)
    return spans
  }
}

/** Rough heap size of a span; shared resources are not counted. */
export function sizeOf(span: Span): number {
  let bytes = SPAN_BYTES + span.name.length + span.events.length * EVENT_BYTES + span.links.length * LINK_BYTES
  let count = 0
  for (const key in span.attributes) {
    const value = span.attributes[key]
    bytes += count++ < FEW_ATTRIBUTES ? ATTRIBUTE_BYTES : HASHED_ATTRIBUTE_BYTES
    bytes += typeof value === 'string' ? value.length : typeof value === 'object' ? 200 : 0
  }
  return bytes
}

/** Parents of all spans of the traces, for the climb from a span to the observation above it. */
export function parentsOf(traces: readonly Trace[]): ParentMap {
  const parents = new Map<string, string>()
  for (const { traceId, held } of traces) for (const { span } of held) parents.set(spanKey(traceId, span.spanId), span.parentSpanId)
  return parents
}
