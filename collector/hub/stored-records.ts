// Which records are in the store already, as the correlator knows them: for a hub that starts again, and for a trace whose records it
// no longer remembers.
import type { WrittenRecord } from '../processors/correlate/correlate.ts'
import { REQUESTS } from '../store/schema/tables.ts'
import type { Store } from '../store/store.ts'

interface StoredRecord {
  traceId: string
  written: WrittenRecord
}

/** Those first received at or after the instant, newest first. */
export function recordsSince(store: Store, unixNano: bigint, limit: number): Promise<StoredRecord[]> {
  const condition = 'received_unix_ns >= {since:Int64} ORDER BY received_unix_ns DESC LIMIT {limit:UInt32}'
  return read(store, condition, { since: unixNano.toString(), limit })
}

export function recordsOfTraces(store: Store, traceIds: readonly string[], sinceUnixNano: bigint): Promise<StoredRecord[]> {
  const condition = 'received_unix_ns >= {since:Int64} AND trace_id IN {traces:Array(String)}'
  return read(store, condition, { traces: traceIds, since: sinceUnixNano.toString() })
}

async function read(store: Store, condition: string, parameters: Record<string, unknown>): Promise<StoredRecord[]> {
  const rows = await store.query<{ trace_id: string; record_id: string; received: string; version: number }>(
    `SELECT trace_id, record_id, toString(received_unix_ns) AS received, version FROM ${REQUESTS.name} WHERE ${condition}`,
    parameters,
  )
  return rows.map((row) => ({
    traceId: row.trace_id,
    written: { recordId: row.record_id, receivedUnixNano: BigInt(row.received), version: Number(row.version) },
  }))
}
