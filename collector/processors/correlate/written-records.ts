// Which records were written from traces that are no longer held: a late span amends them, whatever became of the rest. For as many
// traces as may be, the oldest are forgotten first.
import type { WrittenRecord } from './trace.ts'

export interface WrittenRecords {
  keep(traceId: string, records: WrittenRecord[], closedMs: number): void
  add(traceId: string, written: WrittenRecord, nowMs: number): void
  /** What is known of the trace, which is then held again. */
  take(traceId: string): WrittenRecord[] | undefined
  /** Those of traces that were closed by then. */
  forget(oldestMs: number): void
}

export function createWrittenRecords(maxTraces: number): WrittenRecords {
  const byTrace = new Map<string, { records: WrittenRecord[]; closedMs: number }>()

  function keep(traceId: string, records: WrittenRecord[], closedMs: number): void {
    byTrace.set(traceId, { records, closedMs })
    if (byTrace.size > maxTraces) byTrace.delete(byTrace.keys().next().value as string)
  }

  return {
    keep,
    add(traceId, written, nowMs) {
      const known = byTrace.get(traceId)
      if (known === undefined) keep(traceId, [written], nowMs)
      else known.records = [...known.records.filter(({ recordId }) => recordId !== written.recordId), written]
    },
    take(traceId) {
      const known = byTrace.get(traceId)
      if (known !== undefined) byTrace.delete(traceId)
      return known?.records
    },
    forget(oldestMs) {
      for (const [traceId, { closedMs }] of byTrace) {
        if (closedMs > oldestMs) break
        byTrace.delete(traceId)
      }
    },
  }
}
