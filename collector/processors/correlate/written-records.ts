// Which records were written from traces that are no longer held: a late span amends them, whatever became of the rest. For about as
// many traces as may be; two tables take turns, so that the oldest go without a search for them. Of several times as many traces it
// stays known, in eight bytes each, that there are records: those are in the store.
import { createRecentKeys, hexBits } from './recent-keys.ts'
import type { WrittenRecord } from './trace.ts'

export interface WrittenRecords {
  keep(traceId: string, records: WrittenRecord[], closedMs: number): void
  add(traceId: string, written: WrittenRecord, nowMs: number): void
  /** What is known of the trace, which is then held again. */
  take(traceId: string): WrittenRecord[] | undefined
  /** Whether records of the trace were kept here lately: where `take` knows none of it, they are to be read from the store. */
  hadRecords(traceId: string): boolean
  /** What was closed by `oldestMs`; to be called now and then. */
  forget(oldestMs: number, nowMs: number): void
}

interface Table {
  byTrace: Map<string, WrittenRecord[]>
  lastClosedMs: number
}

/** Slots for trace ids, for each trace whose records are known. */
const ID_SLOTS = 4

export function createWrittenRecords(maxTraces: number): WrittenRecords {
  const emptied = (): Table => ({ byTrace: new Map(), lastClosedMs: Number.NEGATIVE_INFINITY })
  let current = emptied()
  let former = emptied()
  /** Each stays for the time between `oldestMs` and `nowMs` at least, and for twice as long at most. */
  const ids = createRecentKeys(2 ** Math.ceil(Math.log2(Math.max(2, maxTraces * ID_SLOTS))))

  let idsTurnedMs = Number.NEGATIVE_INFINITY

  function turn(): void {
    former = current
    current = emptied()
  }

  function keep(traceId: string, records: WrittenRecord[], closedMs: number): void {
    if (current.byTrace.size >= Math.max(1, maxTraces / 2)) turn()
    current.byTrace.set(traceId, records)
    current.lastClosedMs = Math.max(current.lastClosedMs, closedMs)
    ids.add(highOf(traceId), lowOf(traceId))
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
    hadRecords: (traceId) => ids.has(highOf(traceId), lowOf(traceId)),
    add(traceId, written, nowMs) {
      const known = take(traceId) ?? []
      keep(traceId, [...known.filter(({ recordId }) => recordId !== written.recordId), written], nowMs)
    },
    forget(oldestMs, nowMs) {
      if (former.lastClosedMs <= oldestMs) former = emptied()
      if (current.byTrace.size > 0 && current.lastClosedMs <= oldestMs) turn()
      if (idsTurnedMs > oldestMs) return
      ids.turn()
      idsTurnedMs = nowMs
    },
  }
}

/** The later half of a trace id is random with every sender; the other takes part for those whose ids are counters. */
function highOf(traceId: string): number {
  return (hexBits(traceId, 16) ^ Math.imul(hexBits(traceId, 0), 0x9e3779b1)) >>> 0
}

/** Never 0, which marks an empty slot. */
function lowOf(traceId: string): number {
  return (hexBits(traceId, 24) ^ Math.imul(hexBits(traceId, 8), 0x85ebca6b)) >>> 0 || 1
}
