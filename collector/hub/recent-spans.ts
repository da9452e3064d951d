// Which spans are in the store already, for about the last million: a copy of one of them need not be stored again. Eight bytes of a
// span's two random ids stand for it.
import { createRecentKeys, hexBits } from '../processors/correlate/recent-keys.ts'

export interface RecentSpans {
  add(traceId: string, spanId: string): void
  has(traceId: string, spanId: string): boolean
}

const SLOTS = 1 << 20

export function createRecentSpans(slots = SLOTS): RecentSpans {
  const keys = createRecentKeys(slots)
  return {
    add: (traceId, spanId) => keys.add(highOf(traceId, spanId), lowOf(traceId, spanId)),
    has: (traceId, spanId) => keys.has(highOf(traceId, spanId), lowOf(traceId, spanId)),
  }
}

/** Both ids take part: some senders' span ids are counters, others' trace ids have zeros in front. */
function highOf(traceId: string, spanId: string): number {
  return (hexBits(traceId, 16) ^ Math.imul(hexBits(spanId, 0), 0x9e3779b1)) >>> 0
}

/** Never 0, which marks an empty slot. */
function lowOf(traceId: string, spanId: string): number {
  return (hexBits(traceId, 24) ^ Math.imul(hexBits(traceId, 8), 0x85ebca6b) ^ Math.imul(hexBits(spanId, 8), 0xc2b2ae35)) >>> 0 || 1
}
