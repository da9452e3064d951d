// The traces that the correlator holds, within a budget of memory: open ones (something is not written yet), closed ones whose spans
// are kept while there is room, and of older ones only which records were written, or that there are some. Nothing here grows without a limit.
import type { Clock } from '@longpole/model/clock'
import { createDueSlots } from './due-slots.ts'
import { createRequestIds } from './request-ids.ts'
import { Trace, type WrittenRecord } from './trace.ts'
import { createWrittenRecords } from './written-records.ts'

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
  close(trace: Trace): void
  schedule(trace: Trace, dueMs: number): void
  /** Open traces whose time has come, each once. */
  due(nowMs: number): Trace[]
  /** Open traces to be written early because there are too many of them, oldest first. */
  overBudget(): Trace[]
  /** Lets go of the spans of closed traces beyond the budget; which records were written stays known. */
  trimClosed(): void
  grow(trace: Trace, bytes: number): void
  addRequestId(trace: Trace, id: string): void
  /** Other traces with a request id of this one. */
  sharing(trace: Trace): readonly Trace[]
  restore(traceId: string, written: WrittenRecord): void
  /** Lets go of what can no longer be amended. */
  forget(): void
  listOpen(): Trace[]
  oldestUnixNano(): bigint | null
  counts(): { unsettled: number; traces: number; bytes: number }
}

/** Share of the budget that closed traces may use. */
const CLOSED_SHARE = 0.25

export function createTraceTable({ clock, amendSeconds, memoryBytes, maxTraces }: TraceTableSettings): TraceTable {
  const held = createHeldTraces(memoryBytes, maxTraces)
  const writtenOf = createWrittenRecords(maxTraces)
  const requestIds = createRequestIds()
  const slots = createDueSlots()

  function letGo(trace: Trace): void {
    requestIds.remove(trace)
    held.drop(trace)
    if (trace.written.length > 0) writtenOf.keep(trace.traceId, trace.written, clock.monotonicMs())
  }

  function made(traceId: string): Trace {
    const trace = new Trace(traceId)
    const written = writtenOf.take(traceId)
    if (written !== undefined) {
      trace.written = written
      trace.mustLoad = written.some(({ version }) => version > 0)
    } else trace.mustLoad = writtenOf.hadRecords(traceId)
    return trace
  }

  return {
    open(traceId) {
      const known = held.find(traceId)
      if (known?.state === 'open') return known
      const trace = known ?? made(traceId)
      held.open(trace)
      return trace
    },
    find: held.find,
    close: (trace) => held.close(trace, clock.monotonicMs()),
    schedule: slots.schedule,
    due: slots.take,
    overBudget: held.overBudget,
    trimClosed() {
      for (const trace of held.closed()) {
        if (!held.hasTooManyClosed()) break
        letGo(trace)
      }
    },
    grow: held.grow,
    addRequestId: requestIds.add,
    sharing: requestIds.othersOf,
    restore(traceId, written) {
      const trace = held.find(traceId)
      if (trace === undefined) writtenOf.add(traceId, written, clock.monotonicMs())
      else if (!trace.written.some(({ recordId }) => recordId === written.recordId)) trace.written.push(written)
    },
    forget() {
      const nowMs = clock.monotonicMs()
      const oldestMs = nowMs - amendSeconds * 1e3
      for (const trace of held.closed()) {
        if (trace.closedMs > oldestMs) break
        trace.written = []
        letGo(trace)
      }
      writtenOf.forget(oldestMs, nowMs)
    },
    listOpen: held.listOpen,
    oldestUnixNano: held.oldestUnixNano,
    counts: held.counts,
  }
}

/** Open and closed traces with the sum of their sizes. */
function createHeldTraces(memoryBytes: number, maxTraces: number) {
  const openTraces = new Map<string, Trace>()
  /** In the order in which they were closed. */
  const closedTraces = new Map<string, Trace>()
  let openBytes = 0
  let closedBytes = 0

  function drop(trace: Trace): void {
    if (closedTraces.delete(trace.traceId)) closedBytes -= trace.bytes
    trace.state = 'gone'
  }

  return {
    find: (traceId: string): Trace | undefined => openTraces.get(traceId) ?? closedTraces.get(traceId),
    drop,
    open(trace: Trace): void {
      drop(trace)
      openTraces.set(trace.traceId, trace)
      openBytes += trace.bytes
      trace.state = 'open'
    },
    close(trace: Trace, nowMs: number): void {
      if (!openTraces.delete(trace.traceId)) return
      openBytes -= trace.bytes
      closedTraces.set(trace.traceId, trace)
      closedBytes += trace.bytes
      trace.state = 'closed'
      trace.closedMs = nowMs
    },
    grow(trace: Trace, bytes: number): void {
      trace.bytes += bytes
      if (trace.state === 'open') openBytes += bytes
      else if (trace.state === 'closed') closedBytes += bytes
    },
    closed: () => closedTraces.values(),
    hasTooManyClosed: () =>
      closedBytes > memoryBytes * CLOSED_SHARE || openBytes + closedBytes > memoryBytes || closedTraces.size > maxTraces,
    overBudget(): Trace[] {
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
    listOpen: () => [...openTraces.values()],
    oldestUnixNano(): bigint | null {
      let oldest: bigint | null = null
      for (const { firstUnixNano } of openTraces.values()) {
        if (firstUnixNano !== null && (oldest === null || firstUnixNano < oldest)) oldest = firstUnixNano
      }
      return oldest
    },
    counts: () => ({ unsettled: openTraces.size, traces: openTraces.size + closedTraces.size, bytes: openBytes + closedBytes }),
  }
}
