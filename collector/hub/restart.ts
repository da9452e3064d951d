// What a restarted hub takes up again: which records are written (so that none is written twice), then the spans that were in none yet.
// Replay is the normal path: a record is the same function of the same spans.
import type { Correlator } from '../processors/correlate/correlate.ts'
import { REQUESTS } from '../store/schema/tables.ts'
import type { Store } from '../store/store.ts'

export interface RestartSettings {
  store: Store
  correlator: Correlator
  nowUnixNano: bigint
  /** From the checkpoint; null where there is none. */
  replayFromUnixNano: bigint | null
  amendSeconds: number
  maxRecords: number
}

/**
 * Makes the correlator know the records that a late span may still amend, and gives the instant from which spans are to be joined again.
 * Rejects where the store does not answer; it may be called again.
 */
export async function takeUp({
  store,
  correlator,
  nowUnixNano,
  replayFromUnixNano,
  amendSeconds,
  maxRecords,
}: RestartSettings): Promise<bigint> {
  const amendNanos = BigInt(Math.round(amendSeconds * 1e9))
  const from = replayFromUnixNano ?? nowUnixNano - amendNanos
  const written = await store.query<{ trace_id: string; record_id: string; received: string; version: number }>(
    `SELECT trace_id, record_id, toString(received_unix_ns) AS received, version FROM ${REQUESTS.name}
     WHERE received_unix_ns >= {earliest:Int64} ORDER BY received_unix_ns DESC LIMIT {limit:UInt32}`,
    { earliest: (from - amendNanos).toString(), limit: maxRecords },
  )
  for (const row of written.reverse()) {
    correlator.restore(row.trace_id, { recordId: row.record_id, receivedUnixNano: BigInt(row.received), version: Number(row.version) })
  }
  return from
}
