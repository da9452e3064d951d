// Holds a settled request back for a while before it goes on to an OTLP endpoint: engines send their spans in batches, often after the
// client's, and a trace cannot be changed once it is sent. What comes meanwhile replaces what waits; what comes later is not sent again.
import type { Clock } from '@longpole/model/clock'
import type { Span } from '@longpole/model/span'
import type { SettledRequest } from '../processors/correlate/correlate.ts'

/** A settled request with its spans as they are now. */
export type Forwarded = Omit<SettledRequest, 'spans'> & { spans: readonly Span[] }

export interface ForwardQueueSettings {
  clock: Clock
  delaySeconds: number
  /** Beyond so many waiting spans the oldest requests go early. */
  maxSpans: number
  /** Takes each request once, in its last version. */
  send(request: Forwarded): void
  /** An amendment of what was sent already. */
  onLate(request: Forwarded): void
}

export interface ForwardQueue {
  add(request: Forwarded): void
  /** Sends what has waited long enough; `all` whatever waits. */
  drain(all?: boolean): void
}

interface Waiting {
  request: Forwarded
  dueMs: number
}

export function createForwardQueue({ clock, delaySeconds, maxSpans, send, onLate }: ForwardQueueSettings): ForwardQueue {
  /** By record id, the oldest first. */
  const waiting = new Map<string, Waiting>()
  let spans = 0

  function take(recordId: string): Waiting | undefined {
    const entry = waiting.get(recordId)
    if (entry === undefined) return undefined
    waiting.delete(recordId)
    spans -= entry.request.spans.length
    return entry
  }

  function drain(all = false): void {
    const nowMs = clock.monotonicMs()
    for (const [recordId, { request, dueMs }] of waiting) {
      if (!all && dueMs > nowMs && spans <= maxSpans) break
      take(recordId)
      send(request)
    }
  }

  return {
    add(request) {
      const { record, event, superseded } = request
      // Parts that waited as requests of their own are in this one now.
      const parts = superseded.map(({ recordId }) => take(recordId)).filter((part) => part !== undefined)
      const known = waiting.get(record.record_id)
      if (known !== undefined) {
        spans += request.spans.length - known.request.spans.length
        known.request = request
      } else if (event === 'amended' && parts.length === 0) {
        onLate(request)
        return
      } else {
        waiting.set(record.record_id, { request, dueMs: clock.monotonicMs() + delaySeconds * 1e3 })
        spans += request.spans.length
      }
      if (spans > maxSpans) drain()
    },
    drain,
  }
}
