// OTLP protobuf trace bodies → spans (opentelemetry-proto trace/v1, collector/trace/v1). The hub's and the sidecar's receivers call
// it on every body; encode.ts is the way there, decode-json.ts the same for JSON.
import type { Attributes, Span, SpanEvent, SpanLink } from '@longpole/model/span'
import { BYTES, DECODE_LIMITS, type DecodeLimits, FIXED32, FIXED64, guarded, OtlpReader, VARINT } from './decode-value.ts'

export { DECODE_LIMITS, type DecodeLimits, MalformedOtlp, TooManyItems } from './decode-value.ts'

export interface DecodedTraces {
  spans: Span[]
  /** Spans without valid ids: read, counted, not returned. */
  malformed: number
  /** Attributes, events, links and ends of strings left out because of a limit. */
  truncated: number
}

const NO_ATTRIBUTES: Attributes = Object.freeze({})
const NO_EVENTS = Object.freeze([]) as unknown as SpanEvent[]
const NO_LINKS = Object.freeze([]) as unknown as SpanLink[]

/** Who speaks: shared by reference between the spans of one group. */
interface Origin {
  resource: Attributes
  scopeName: string
  scopeVersion: string
}

/** ExportTraceServiceRequest → spans. Throws MalformedOtlp or TooManyItems; then nothing of the body counts. */
export function decodeTraces(body: Uint8Array, limits: DecodeLimits = DECODE_LIMITS): DecodedTraces {
  return guarded(() => {
    const reader = new OtlpReader(body, limits)
    const spans: Span[] = []
    readGroups(reader, (end, origin) => {
      reader.countItem()
      const span = readSpan(reader, end, origin)
      if (span !== null) spans.push(span)
    })
    return { spans, malformed: reader.items - spans.length, truncated: reader.truncated }
  })
}

/**
 * The frame that the three signals share: request { 1: { 1: resource, 2: { 1: scope, 2: items } } }. The items of a group share its
 * resource by reference, so it is complete for all of them even where it stands behind them.
 */
export function readGroups(reader: OtlpReader, onItem: (end: number, origin: Origin) => void): void {
  reader.fields(reader.length, (field, type) => {
    if (field === 1 && type === BYTES) readResourceGroup(reader, reader.length, onItem)
  })
}

function readResourceGroup(reader: OtlpReader, outerEnd: number, onItem: (end: number, origin: Origin) => void): void {
  const origin: Origin = { resource: {}, scopeName: '', scopeVersion: '' }
  let count = 0
  reader.message(outerEnd, (field, type, end) => {
    if (type !== BYTES) return
    if (field === 1) {
      reader.message(end, (inner, innerType, innerEnd) => {
        if (inner === 1 && innerType === BYTES) reader.keyValue(innerEnd, origin.resource, count++)
      })
    } else if (field === 2) {
      readScopeGroup(reader, end, origin, onItem)
    }
  })
}

/** Every encoder writes resource and scope before their items; where one does not, its items keep an empty scope. */
function readScopeGroup(reader: OtlpReader, outerEnd: number, { resource }: Origin, onItem: (end: number, origin: Origin) => void): void {
  const origin: Origin = { resource, scopeName: '', scopeVersion: '' }
  reader.message(outerEnd, (field, type, end) => {
    if (type !== BYTES) return
    if (field === 2) onItem(end, origin)
    else if (field === 1) {
      reader.message(end, (inner, innerType, innerEnd) => {
        if (innerType !== BYTES) return
        if (inner === 1) origin.scopeName = reader.text(innerEnd)
        else if (inner === 2) origin.scopeVersion = reader.text(innerEnd)
      })
    }
  })
}

/** Field number and wire type of what nearly every span has; they are looked for first. */
const ATTRIBUTE = (9 << 3) | BYTES
const START = (7 << 3) | FIXED64
const END = (8 << 3) | FIXED64
const KIND = (6 << 3) | VARINT
const FLAGS = (16 << 3) | FIXED32

/** Null where the ids are not valid (W3C: 16 and 8 bytes, not all zero). */
function readSpan(reader: OtlpReader, outerEnd: number, origin: Origin): Span | null {
  const span: Span = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    startUnixNano: 0n,
    endUnixNano: 0n,
    attributes: NO_ATTRIBUTES,
    events: NO_EVENTS,
    links: NO_LINKS,
    statusCode: 0,
    statusMessage: '',
    resource: origin.resource,
    scopeName: origin.scopeName,
    scopeVersion: origin.scopeVersion,
  }
  const end = reader.messageEnd(outerEnd)
  let count = 0
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === ATTRIBUTE) {
      if (count === 0) span.attributes = {}
      reader.keyValue(end, span.attributes, count++)
    } else if (tag === START) span.startUnixNano = reader.fixed64()
    else if (tag === END) span.endUnixNano = reader.fixed64()
    else if (tag === KIND) span.kind = reader.uint()
    else if (tag === FLAGS) span.flags = reader.fixed32()
    else if ((tag & 7) !== BYTES || !readNested(reader, span, tag >>> 3, end)) reader.skip(tag & 7, end)
    reader.checkEnd(end)
  }
  return isValidSpan(span) ? span : null
}

/** False where the field is none that is read. */
function readNested(reader: OtlpReader, span: Span, field: number, end: number): boolean {
  if (field === 1) span.traceId = reader.id(end, 16)
  else if (field === 2) span.spanId = reader.id(end, 8)
  else if (field === 3) span.traceState = reader.text(end)
  else if (field === 4) span.parentSpanId = reader.id(end, 8)
  else if (field === 5) span.name = reader.text(end)
  else if (field === 11) {
    const event = readEvent(reader, end)
    if (span.events.length >= reader.limits.events) reader.truncated++
    else if (span.events.length === 0) span.events = [event]
    else span.events.push(event)
  } else if (field === 13) {
    const link = readLink(reader, end)
    if (span.links.length >= reader.limits.events) reader.truncated++
    else if (span.links.length === 0) span.links = [link]
    else span.links.push(link)
  } else if (field === 15) {
    reader.message(end, (inner, type, innerEnd) => {
      if (inner === 2 && type === BYTES) span.statusMessage = reader.text(innerEnd)
      else if (inner === 3 && type === VARINT) span.statusCode = reader.uint()
    })
  } else return false
  return true
}

function readEvent(reader: OtlpReader, outerEnd: number): SpanEvent {
  const event: SpanEvent = { name: '', timeUnixNano: 0n, attributes: {} }
  let count = 0
  reader.message(outerEnd, (field, type, end) => {
    if (field === 1 && type === FIXED64) event.timeUnixNano = reader.fixed64()
    else if (field === 2 && type === BYTES) event.name = reader.text(end)
    else if (field === 3 && type === BYTES) reader.keyValue(end, event.attributes, count++)
  })
  return event
}

function readLink(reader: OtlpReader, outerEnd: number): SpanLink {
  const link: SpanLink = { traceId: '', spanId: '', attributes: {} }
  let count = 0
  reader.message(outerEnd, (field, type, end) => {
    if (field === 1 && type === BYTES) link.traceId = reader.id(end, 16)
    else if (field === 2 && type === BYTES) link.spanId = reader.id(end, 8)
    else if (field === 4 && type === BYTES) reader.keyValue(end, link.attributes, count++)
  })
  return link
}

const ZERO_TRACE = '0'.repeat(32)
const ZERO_SPAN = '0'.repeat(16)

/** Ids as W3C Trace Context wants them; a parent that is all zero means none. */
export function isValidSpan(span: Span): boolean {
  if (span.parentSpanId === ZERO_SPAN) span.parentSpanId = ''
  return span.traceId !== '' && span.spanId !== '' && span.traceId !== ZERO_TRACE && span.spanId !== ZERO_SPAN
}
