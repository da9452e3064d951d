// Time as an argument, so that tests and the simulator are exact. Nothing below the assemblies reads the system clock itself.

export interface Clock {
  /** Wall time in nanoseconds since the Unix epoch. */
  unixNano(): bigint
  /** Monotonic milliseconds from an arbitrary start; the only one durations may be taken from. */
  monotonicMs(): number
}

/** Wall time anchored once to the monotonic clock: it never steps inside a process. */
export function createSystemClock(): Clock {
  const anchorMs = performance.now()
  const anchorNano = BigInt(Date.now()) * 1_000_000n
  return {
    unixNano: () => anchorNano + BigInt(Math.round((performance.now() - anchorMs) * 1e6)),
    monotonicMs: () => performance.now(),
  }
}

/** A clock that moves only when told to. */
export function createManualClock(startUnixNano = 1_700_000_000_000_000_000n): Clock & { advance(ms: number): void } {
  let elapsedMs = 0
  return {
    unixNano: () => startUnixNano + BigInt(Math.round(elapsedMs * 1e6)),
    monotonicMs: () => elapsedMs,
    advance(ms) {
      elapsedMs += ms
    },
  }
}

/** What is known about the offset between two clocks: add it to a stamp of `from` to get the time of `to`. */
export interface ClockOffset {
  from: string
  to: string
  offsetSeconds: number
  /** Half-width: the true offset lies within ± this. */
  errorSeconds: number
}

export const NANOS_PER_SECOND = 1_000_000_000n

/** Difference of two stamps of one clock, in seconds. Exact to the nanosecond below 104 days. */
export function secondsBetween(startUnixNano: bigint, endUnixNano: bigint): number {
  return Number(endUnixNano - startUnixNano) / 1e9
}
