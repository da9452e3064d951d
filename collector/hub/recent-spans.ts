// Which spans are in the store already, for about the last million: a copy of one of them need not be stored again. Eight bytes of a
// span's two random ids stand for it, in two tables that take turns, so that memory is fixed.

export interface RecentSpans {
  add(traceId: string, spanId: string): void
  has(traceId: string, spanId: string): boolean
}

const SLOTS = 1 << 20
const MAX_LOAD = 0.7

export function createRecentSpans(slots = SLOTS): RecentSpans {
  let current = createTable(slots)
  let former = createTable(slots)

  return {
    add(traceId, spanId) {
      if (current.size() >= slots * MAX_LOAD) {
        former.clear()
        const emptied = former
        former = current
        current = emptied
      }
      current.add(highOf(traceId, spanId), lowOf(traceId, spanId))
    },
    has(traceId, spanId) {
      const [high, low] = [highOf(traceId, spanId), lowOf(traceId, spanId)]
      return current.has(high, low) || former.has(high, low)
    },
  }
}

/** Both ids take part: some senders' span ids are counters, others' trace ids have zeros in front. */
function highOf(traceId: string, spanId: string): number {
  return (part(traceId, 16) ^ Math.imul(part(spanId, 0), 0x9e3779b1)) >>> 0
}

/** Never 0, which marks an empty slot. */
function lowOf(traceId: string, spanId: string): number {
  return (part(traceId, 24) ^ Math.imul(part(traceId, 8), 0x85ebca6b) ^ Math.imul(part(spanId, 8), 0xc2b2ae35)) >>> 0 || 1
}

/** Eight hexadecimal digits, lower case, as 32 bits. */
function part(hex: string, at: number): number {
  let bits = 0
  for (let index = at; index < at + 8; index++) {
    const code = hex.charCodeAt(index)
    bits = (bits << 4) | (code < 58 ? code - 48 : code - 87)
  }
  return bits
}

/** Open addressing over two columns of 32 bits. */
function createTable(slots: number) {
  const highs = new Uint32Array(slots)
  const lows = new Uint32Array(slots)
  const mask = slots - 1
  let size = 0

  function slotOf(high: number, low: number): number {
    let slot = Math.imul(high ^ (low >>> 7), 0x9e3779b1) >>> 0
    for (slot &= mask; lows[slot] !== 0 && (lows[slot] !== low || highs[slot] !== high); slot = (slot + 1) & mask);
    return slot
  }

  return {
    add(high: number, low: number): void {
      const slot = slotOf(high, low)
      if (lows[slot] === 0) size++
      highs[slot] = high
      lows[slot] = low
    },
    has: (high: number, low: number) => lows[slotOf(high, low)] !== 0,
    size: () => size,
    clear(): void {
      lows.fill(0)
      size = 0
    },
  }
}
