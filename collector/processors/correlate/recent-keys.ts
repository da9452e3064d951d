// Which keys of 64 bits came lately, in memory that is fixed: two tables take turns, so that the oldest go without a search for them.

export interface RecentKeys {
  /** `low` is never 0, which marks an empty slot. */
  add(high: number, low: number): void
  has(high: number, low: number): boolean
  /** The table of the latest becomes the one that is emptied next. */
  turn(): void
}

const MAX_LOAD = 0.7

/** Knows at least the last `MAX_LOAD * slots` keys and at most twice as many; `slots` is a power of two. */
export function createRecentKeys(slots: number): RecentKeys {
  let current = createTable(slots)
  let former = createTable(slots)

  function turn(): void {
    former.clear()
    const emptied = former
    former = current
    current = emptied
  }

  return {
    add(high, low) {
      if (current.size() >= slots * MAX_LOAD) turn()
      current.add(high, low)
    },
    has: (high, low) => current.has(high, low) || former.has(high, low),
    turn,
  }
}

/** Eight hexadecimal digits, lower case, as 32 bits. */
export function hexBits(hex: string, at: number): number {
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
      if (size > 0) lows.fill(0)
      size = 0
    },
  }
}
