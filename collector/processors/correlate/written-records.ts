// Which records were written from traces that are no longer held: a late span amends them, whatever became of the rest. For about as
// many traces as may be; two tables take turns, so that the oldest go without a search for them.
import type { WrittenRecord } from './trace.ts'

export interface WrittenRecords {
  keep(traceId: string, records: WrittenRecord[], closedMs: number): void
  add(traceId: string, written: WrittenRecord, nowMs: number): void
  /** What is known of the trace, which is then held again. */
  take(traceId: string): WrittenRecord[] | undefined
  /** Those of traces that were all closed by then. */
  forget(oldestMs: number): void
}

interface Table {
  byTrace: Map<string, WrittenRecord[]>
  lastClosedMs: number
}

export function createWrittenRecords(maxTraces: number): WrittenRecords {
  const emptied = (): Table => ({ byTrace: new Map(), lastClosedMs: Number.NEGATIVE_INFINITY })
  let current = emptied()
  let former = emptied()

  function turn(): void {
    former = current
    current = emptied()
  }

  function keep(traceId: string, records: WrittenRecord[], closedMs: number): void {
    if (current.byTrace.size >= Math.max(1, maxTraces / 2)) turn()
    current.byTrace.set(traceId, records)
    current.lastClosedMs = Math.max(current.lastClosedMs, closedMs)
  }

  function take(traceId: string): WrittenRecord[] | undefined {
    const table = current.byTrace.has(traceId) ? current : former
    const records = table.byTrace.get(traceId)
    if (records !== undefined) table.byTrace.delete(traceId)
    return records
  }

  return {
    keep,
    take,
    add(traceId, written, nowMs) {
      const known = take(traceId) ?? []
      keep(traceId, [...known.filter(({ recordId }) => recordId !== written.recordId), written], nowMs)
    },
    forget(oldestMs) {
      if (former.lastClosedMs <= oldestMs) former = emptied()
      if (current.byTrace.size > 0 && current.lastClosedMs <= oldestMs) turn()
    },
  }
}
