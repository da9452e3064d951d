// Which traces share a request id: where a trace is broken, its halves are found by it. Nearly every id belongs to one trace, so that
// one is kept bare.
import type { Trace } from './trace.ts'

export interface RequestIds {
  add(trace: Trace, id: string): void
  /** The trace is no longer held. */
  remove(trace: Trace): void
  /** Other traces that share an id with this one, as often as they do. */
  othersOf(trace: Trace): readonly Trace[]
}

const MAX_SHARING_TRACES = 16
const NONE: readonly Trace[] = []

export function createRequestIds(): RequestIds {
  const byId = new Map<string, Trace | Set<Trace>>()

  return {
    add(trace, id) {
      const known = byId.get(id)
      if (known === trace) return
      if (known === undefined) byId.set(id, trace)
      else if (!(known instanceof Set)) byId.set(id, new Set([known, trace]))
      else if (known.has(trace) || known.size >= MAX_SHARING_TRACES) return
      else known.add(trace)
      trace.requestIds.push(id)
    },
    remove(trace) {
      for (const id of trace.requestIds) {
        const known = byId.get(id)
        if (known === trace) byId.delete(id)
        else if (known instanceof Set) {
          known.delete(trace)
          if (known.size === 0) byId.delete(id)
        }
      }
      trace.requestIds = []
    },
    othersOf(trace) {
      let others: Trace[] | null = null
      for (const id of trace.requestIds) {
        const known = byId.get(id)
        if (known === undefined || known === trace) continue
        others ??= []
        if (!(known instanceof Set)) others.push(known)
        else for (const other of known) if (other !== trace) others.push(other)
      }
      return others ?? NONE
    },
  }
}
