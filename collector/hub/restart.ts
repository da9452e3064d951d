// What a restarted hub takes up again: which records are written (so that none is written twice), then the spans that were in none yet.
// Replay is the normal path: a record is the same function of the same spans.
import type { Correlator } from '../processors/correlate/correlate.ts'
import type { Store } from '../store/store.ts'
import { recordsSince } from './stored-records.ts'

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
  const stored = await recordsSince(store, from - amendNanos, maxRecords)
  for (const { traceId, written } of stored.reverse()) correlator.restore(traceId, written)
  return from
}
