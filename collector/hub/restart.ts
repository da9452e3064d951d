// What a restarted hub takes up again: which records are written (so that none is written twice), then the spans that were in none yet.
// Replay is the normal path: a record is the same function of the same spans.
import type { Correlator } from '../processors/correlate/correlate.ts'
import { REQUESTS } from '../store/schema/tables.ts'
import type { Store } from '../store/store.ts'
import type { RecentSpans } from './recent-spans.ts'

export interface RestartSettings {
  store: Store
  correlator: Correlator
  recent: RecentSpans
  nowUnixNano: bigint
  /** From the checkpoint; null where there is none. */
  replayFromUnixNano: bigint | null
  amendSeconds: number
  maxRecords: number
}

/** Spans that were taken up again. Rejects where the store does not answer; it may be called again. */
export async function takeUp({
  store,
  correlator,
  recent,
  nowUnixNano,
  replayFromUnixNano,
  amendSeconds,
  maxRecords,
}: RestartSettings): Promise<number> {
  const earliest = nowUnixNano - BigInt(Math.round(amendSeconds * 1e9))
  const from = replayFromUnixNano === null || replayFromUnixNano < earliest ? earliest : replayFromUnixNano
  const written = await store.query<{ trace_id: string; record_id: string; received: string; version: number }>(
    `SELECT trace_id, record_id, toString(received_unix_ns) AS received, version FROM ${REQUESTS.name}
     WHERE received_unix_ns >= {earliest:Int64} ORDER BY received_unix_ns DESC LIMIT {limit:UInt32}`,
    { earliest: earliest.toString(), limit: maxRecords },
  )
  for (const row of written.reverse()) {
    correlator.restore(row.trace_id, { recordId: row.record_id, receivedUnixNano: BigInt(row.received), version: Number(row.version) })
  }
  return readBack(store, correlator, recent, from)
}

/** A stream that breaks off is taken up where it broke: what came twice is known. */
async function readBack(store: Store, correlator: Correlator, recent: RecentSpans, fromUnixNano: bigint): Promise<number> {
  let spans = 0
  let from = fromUnixNano
  for (let failures = 0; ; ) {
    try {
      for await (const batch of store.spansSince(from)) {
        correlator.add(batch)
        for (const { span } of batch) recent.add(span.traceId, span.spanId)
        spans += batch.length
        from = batch.at(-1)?.receivedUnixNano ?? from
      }
      return spans
    } catch (error) {
      if (++failures === MAX_FAILURES) throw error
    }
  }
}

const MAX_FAILURES = 5
