// The traces that the correlator holds, within a budget of memory: open ones (something is not written yet), closed ones whose spans
// are kept while there is room, and of older ones only which records were written. Nothing here grows without a limit.
import type { Clock } from '@longpole/model/clock'
import { newTrace, type Trace, type WrittenRecord } from './trace.ts'

export interface TraceTableSettings {
  clock: Clock
  amendSeconds: number
  memoryBytes: number
  maxTraces: number
}

export interface TraceTable {
  /** The trace, made or brought back where it is not open. */
  open(traceId: string): Trace
  find(traceId: string): Trace | undefined
  isOpen(trace: Trace): boolean
  close(trace: Trace): void
  schedule(trace: Trace, dueMs: number): void
  /** Open traces whose time has come, each once. */
  due(nowMs: number): Trace[]
  /** Open traces to be written early because there are too many of them, oldest first. */
  overBudget(): Trace[]
  /** Lets go of the spans of closed traces beyond the budget; which records were written stays known. */
  trimClosed(): void
  grow(trace: Trace, bytes: number): void
  setRequestIds(trace: Trace, ids: string[]): void
  sharing(ids: readonly string[]): Trace[]
  restore(traceId: string, written: WrittenRecord): void
  /** Lets go of what can no longer be amended. */
  forget(): void
  listOpen(): Trace[]
  oldestUnixNano(): bigint | null
  counts(): { unsettled: number; traces: number; bytes: number }
}

interface Written {
  records: WrittenRecord[]
  closedMs: number
}

const SLOT_MS = 100
const MAX_SHARING_TRACES = 16
/** Share of the budget that closed traces may use. */
const CLOSED_SHARE = 0.5

export function createTraceTable({ clock, amendSeconds, memoryBytes, maxTraces }: TraceTableSettings): TraceTable {
  const openTraces = new Map<string, Trace>()
  /** In the order in which they were closed. */
  const closedTraces = new Map<string, { trace: Trace; closedMs: number }>()
  const writtenOf = new Map<string, Written>()
  const byRequestId = new Map<string, Set<Trace>>()
  const slots = new Map<number, Set<Trace>>()
  let openBytes = 0
  let closedBytes = 0

  function setRequestIds(trace: Trace, ids: string[]): void {
    for (const id of trace.requestIds) {
      const sharing = byRequestId.get(id)
      sharing?.delete(trace)
      if (sharing?.size === 0) byRequestId.delete(id)
    }
    trace.requestIds = ids
    for (const id of ids) {
      const sharing = byRequestId.get(id)
      if (sharing === undefined) byRequestId.set(id, new Set([trace]))
      else if (sharing.size < MAX_SHARING_TRACES) sharing.add(trace)
    }
  }

  function letGo(trace: Trace): void {
    setRequestIds(trace, [])
    closedTraces.delete(trace.traceId)
    closedBytes -= trace.bytes
    if (trace.written.length > 0) writtenOf.set(trace.traceId, { records: trace.written, closedMs: clock.monotonicMs() })
    if (writtenOf.size > maxTraces) writtenOf.delete(writtenOf.keys().next().value as string)
  }

  function reopen(traceId: string): Trace {
    const kept = closedTraces.get(traceId)
    if (kept !== undefined) {
      closedTraces.delete(traceId)
      closedBytes -= kept.trace.bytes
      return kept.trace
    }
    const trace = newTrace(traceId)
    const written = writtenOf.get(traceId)
    if (written !== undefined) {
      trace.written = written.records
      trace.mustLoad = written.records.some(({ version }) => version > 0)
      writtenOf.delete(traceId)
    }
    return trace
  }

  return {
    open(traceId) {
      const known = openTraces.get(traceId)
      if (known !== undefined) return known
      const trace = reopen(traceId)
      openTraces.set(traceId, trace)
      openBytes += trace.bytes
      return trace
    },
    find: (traceId) => openTraces.get(traceId) ?? closedTraces.get(traceId)?.trace,
    isOpen: (trace) => openTraces.get(trace.traceId) === trace,
    close(trace) {
      if (!openTraces.delete(trace.traceId)) return
      openBytes -= trace.bytes
      closedBytes += trace.bytes
      closedTraces.set(trace.traceId, { trace, closedMs: clock.monotonicMs() })
    },
    schedule(trace, dueMs) {
      trace.dueMs = dueMs
      const slot = Math.floor(dueMs / SLOT_MS)
      const waiting = slots.get(slot)
      if (waiting === undefined) slots.set(slot, new Set([trace]))
      else waiting.add(trace)
    },
    due(nowMs) {
      const ready: Trace[] = []
      for (const [slot, waiting] of slots) {
        if ((slot + 1) * SLOT_MS > nowMs) continue
        slots.delete(slot)
        for (const trace of waiting) if (openTraces.get(trace.traceId) === trace && trace.dueMs <= nowMs) ready.push(trace)
      }
      return ready
    },
    trimClosed() {
      for (const { trace } of closedTraces.values()) {
        if (closedBytes <= memoryBytes * CLOSED_SHARE && openBytes + closedBytes <= memoryBytes && closedTraces.size <= maxTraces) break
        letGo(trace)
      }
    },
    overBudget() {
      const early: Trace[] = []
      let bytes = openBytes
      let count = openTraces.size
      for (const trace of openTraces.values()) {
        if (bytes <= memoryBytes && count <= maxTraces) break
        early.push(trace)
        bytes -= trace.bytes
        count--
      }
      return early
    },
    grow(trace, bytes) {
      trace.bytes += bytes
      if (openTraces.get(trace.traceId) === trace) openBytes += bytes
      else if (closedTraces.has(trace.traceId)) closedBytes += bytes
    },
    setRequestIds,
    sharing: (ids) => ids.flatMap((id) => [...(byRequestId.get(id) ?? [])]),
    restore(traceId, written) {
      const trace = openTraces.get(traceId) ?? closedTraces.get(traceId)?.trace
      if (trace !== undefined) {
        if (!trace.written.some(({ recordId }) => recordId === written.recordId)) trace.written.push(written)
        return
      }
      const known = writtenOf.get(traceId)
      if (known === undefined) writtenOf.set(traceId, { records: [written], closedMs: clock.monotonicMs() })
      else known.records = [...known.records.filter(({ recordId }) => recordId !== written.recordId), written]
      if (writtenOf.size > maxTraces) writtenOf.delete(writtenOf.keys().next().value as string)
    },
    forget() {
      const oldest = clock.monotonicMs() - amendSeconds * 1e3
      for (const { trace, closedMs } of closedTraces.values()) {
        if (closedMs > oldest) break
        trace.written = []
        letGo(trace)
      }
      for (const [traceId, { closedMs }] of writtenOf) {
        if (closedMs > oldest) break
        writtenOf.delete(traceId)
      }
    },
    listOpen: () => [...openTraces.values()],
    oldestUnixNano() {
      let oldest: bigint | null = null
      for (const trace of openTraces.values()) {
        for (const at of trace.received.values()) if (oldest === null || at < oldest) oldest = at
      }
      return oldest
    },
    counts: () => ({ unsettled: openTraces.size, traces: openTraces.size + closedTraces.size, bytes: openBytes + closedBytes }),
  }
}
