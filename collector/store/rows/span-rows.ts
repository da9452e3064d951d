// Spans to columns of the `spans` table and back. On the way of every span: a resource is shared by the spans of one batch and is
// written out once.
import type { Attributes, Span, SpanEvent, SpanLink } from '@longpole/model/span'
import { type EncodedTable, encodeTable } from '../arrow/table.ts'
import { createTurns, mapInTurns } from '../arrow/turns.ts'
import { SPANS } from '../schema/tables.ts'
import type { StoredSpan } from '../store.ts'
import { parseJson, stringifyJson } from './json.ts'

const EMPTY_LIST = '[]'

export async function encodeSpans(spans: readonly StoredSpan[]): Promise<EncodedTable> {
  const turns = createTurns()
  const resources = new Map<Attributes, string>()
  const resourceOf = (resource: Attributes) => {
    let text = resources.get(resource)
    if (text === undefined) {
      text = stringifyJson(resource)
      resources.set(resource, text)
    }
    return text
  }
  const columns: Record<string, (stored: StoredSpan) => unknown> = {
    received_unix_ns: (stored) => stored.receivedUnixNano,
    trace_id: ({ span }) => span.traceId,
    span_id: ({ span }) => span.spanId,
    parent_span_id: ({ span }) => span.parentSpanId,
    trace_state: ({ span }) => span.traceState,
    flags: ({ span }) => span.flags,
    name: ({ span }) => span.name,
    kind: ({ span }) => span.kind,
    start_unix_ns: ({ span }) => span.startUnixNano,
    end_unix_ns: ({ span }) => span.endUnixNano,
    events: ({ span }) => (span.events.length === 0 ? EMPTY_LIST : stringifyJson(span.events)),
    links: ({ span }) => (span.links.length === 0 ? EMPTY_LIST : stringifyJson(span.links)),
    status_code: ({ span }) => span.statusCode,
    status_message: ({ span }) => span.statusMessage,
    resource: ({ span }) => resourceOf(span.resource),
    scope_name: ({ span }) => span.scopeName,
    scope_version: ({ span }) => span.scopeVersion,
  }
  const attributes = await mapInTurns(spans, turns, ({ span }) => stringifyJson(span.attributes))
  const valuesOf = (name: string) => {
    if (name === 'attributes') return attributes
    const read = columns[name]
    return read === undefined ? undefined : spans.map(read)
  }
  return encodeTable(SPANS.columns, spans.length, valuesOf, turns)
}

const INSTANTS = new Set(['received_unix_ns', 'start_unix_ns', 'end_unix_ns'])

/** What to select so that a SpanDecoder can read the rows. */
export const SPAN_SELECT: string = SPANS.columns
  .map(({ name }) => (INSTANTS.has(name) ? `toString(${name}) AS ${name}_text` : name))
  .join(', ')

interface SpanRow {
  received_unix_ns_text: string
  trace_id: string
  span_id: string
  parent_span_id: string
  trace_state: string
  flags: number
  name: string
  kind: number
  start_unix_ns_text: string
  end_unix_ns_text: string
  attributes: string
  events: string
  links: string
  status_code: number
  status_message: string
  resource: string
  scope_name: string
  scope_version: string
}

/** Decodes rows of one answer; equal resources become one object again. */
export function createSpanDecoder(): (row: object) => StoredSpan {
  const resources = new Map<string, Attributes>()
  return (value) => {
    const row = value as SpanRow
    let resource = resources.get(row.resource)
    if (resource === undefined) {
      resource = parseJson(row.resource) as Attributes
      resources.set(row.resource, resource)
    }
    const span: Span = {
      traceId: row.trace_id,
      spanId: row.span_id,
      parentSpanId: row.parent_span_id,
      traceState: row.trace_state,
      flags: row.flags,
      name: row.name,
      kind: row.kind,
      startUnixNano: BigInt(row.start_unix_ns_text),
      endUnixNano: BigInt(row.end_unix_ns_text),
      attributes: parseJson(row.attributes) as Attributes,
      events: row.events === EMPTY_LIST ? [] : (parseJson(row.events) as SpanEvent[]),
      links: row.links === EMPTY_LIST ? [] : (parseJson(row.links) as SpanLink[]),
      statusCode: row.status_code,
      statusMessage: row.status_message,
      resource,
      scopeName: row.scope_name,
      scopeVersion: row.scope_version,
    }
    return { span, receivedUnixNano: BigInt(row.received_unix_ns_text) }
  }
}
