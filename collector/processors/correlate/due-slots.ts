// When each open trace is to be looked at next: slots of a tenth of a second, so that what is due is found without asking all.
import type { Trace } from './trace.ts'

export interface DueSlots {
  /** A later call for the same trace takes the place of an earlier one. */
  schedule(trace: Trace, dueMs: number): void
  /** Open traces whose time has come, each once. */
  take(nowMs: number): Trace[]
}

const SLOT_MS = 100
const NO_SLOT = -1

export function createDueSlots(): DueSlots {
  const slots = new Map<number, Trace[]>()

  return {
    schedule(trace, dueMs) {
      const slot = Math.floor(dueMs / SLOT_MS)
      if (trace.slot === slot) return
      const waiting = slots.get(slot)
      if (waiting === undefined) slots.set(slot, [trace])
      else waiting.push(trace)
      trace.slot = slot
    },
    take(nowMs) {
      const ready: Trace[] = []
      for (const [slot, waiting] of slots) {
        if ((slot + 1) * SLOT_MS > nowMs) continue
        slots.delete(slot)
        for (const trace of waiting) {
          // It was put into another slot since.
          if (trace.slot !== slot) continue
          trace.slot = NO_SLOT
          if (trace.state === 'open') ready.push(trace)
        }
      }
      return ready
    },
  }
}
