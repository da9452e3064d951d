// All raw spans behind one record. An engine that starts a trace of its own is joined by request id, so the spans of a record may lie in
// several traces; the record names its own trace only.
import type { RequestRecord } from '@longpole/model/request-record'
import type { Span } from '@longpole/model/span'
import { SPANS } from '../../store/schema/tables.ts'
import type { Store } from '../../store/store.ts'

/** Other parts of a request arrive about when its first one does, and after it ended: so far around it they are looked for. */
const SLACK_NANOS = 120_000_000_000n
const MAX_TRACES = 8

/** Spans of the record's own trace, then those of the other traces that it was joined from, each in order of time. */
export async function joinedSpans(store: Store, record: RequestRecord): Promise<Span[]> {
  const own = await store.spansOfTraces([record.trace_id])
  if (isComplete(record, own)) return own
  const others = await otherTraces(store, record)
  return others.length === 0 ? own : [...own, ...(await store.spansOfTraces(others))]
}

/** The version of a record is the number of its spans; its hops and attempts name some of them. */
function isComplete(record: RequestRecord, own: readonly Span[]): boolean {
  const present = new Set(own.map((span) => span.spanId))
  const named = [...record.hops, ...record.attempt_list].map((part) => part.span_id)
  return own.length >= record.version && named.every((id) => present.has(id))
}

async function otherTraces(store: Store, record: RequestRecord): Promise<string[]> {
  const named = [...record.hops, ...record.attempt_list].map((part) => part.span_id)
  const length = BigInt(Math.ceil((record.e2e ?? 0) * 1e9))
  const carriesId = record.request_id === null ? '' : 'OR position(attributes, {request:String}) > 0'
  const rows = await store.query<{ trace: string }>(
    `SELECT DISTINCT trace_id AS trace FROM ${SPANS.name}
     WHERE received_unix_ns >= {from:Int64} AND received_unix_ns <= {to:Int64} AND trace_id != {own:String}
       AND (span_id IN {named:Array(String)} ${carriesId})
     LIMIT ${MAX_TRACES}`,
    {
      from: (record.received_unix_ns - SLACK_NANOS - length).toString(),
      to: (record.received_unix_ns + SLACK_NANOS + length).toString(),
      own: record.trace_id,
      named,
      request: record.request_id ?? '',
    },
  )
  return rows.map((row) => row.trace)
}
