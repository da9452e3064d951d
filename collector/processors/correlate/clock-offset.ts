// What the offset between two hosts' clocks can be, from requests that both saw: the server's interval lies inside its client's, so
// every request gives a lower and an upper bound, and their intersection over recent requests an offset with its error (the
// interval form of NTP: RFC 5905 section 10; Marzullo 1984). Durations never need it; telling upload from return path does.
import { type Clock, type ClockOffset, secondsBetween } from '@longpole/model/clock'

/** Two stamps each of one request: sent and first token at the outer vantage, received and first token at the inner one. */
export interface SeamStamps {
  /** Outer clock, as in Observation.clock. */
  outer: string
  /** Inner clock. */
  inner: string
  sentUnixNano: bigint
  seenUnixNano: bigint
  receivedUnixNano: bigint
  returnedUnixNano: bigint
}

/** inner − outer lies in [low, high], seconds. */
export interface OffsetBounds {
  low: number
  high: number
}

/** received ≥ sent and returned ≤ seen, once both are read on one clock. */
export function boundsOf({ sentUnixNano, seenUnixNano, receivedUnixNano, returnedUnixNano }: SeamStamps): OffsetBounds {
  return { low: secondsBetween(seenUnixNano, returnedUnixNano), high: secondsBetween(sentUnixNano, receivedUnixNano) }
}

export interface ClockOffsets {
  add(stamps: SeamStamps): void
  /** Null while fewer than `MIN_REQUESTS` requests were seen: then each request's own bounds say as much. */
  offset(outer: string, inner: string): ClockOffset | null
  /** The best estimate for each pair, however few requests it rests on. */
  list(): ClockOffset[]
}

/** Below this an estimate would make a record depend on which other requests came first. */
export const MIN_REQUESTS = 20
const MAX_PAIRS = 4_096
const WINDOW_MS = 300_000
const KEPT = 64
/** Drift of cheap crystals (200 ppm) widens old bounds. */
const DRIFT = 200e-6
/** Bounds that miss the estimate by more are a step of a clock, not noise. */
const STEP_SECONDS = 0.005

interface Pair {
  outer: string
  inner: string
  bounds: (OffsetBounds & { atMs: number })[]
  count: number
  /** The intersection when it was last taken; requests that say nothing new are only counted. */
  known: OffsetBounds
  knownMs: number
}

/** For so long an intersection serves as it is. */
const FRESH_MS = 1_000

export function createClockOffsets(clock: Clock): ClockOffsets {
  const pairs = new Map<string, Pair>()

  function intersect(pair: Pair): OffsetBounds {
    const now = clock.monotonicMs()
    let low = Number.NEGATIVE_INFINITY
    let high = Number.POSITIVE_INFINITY
    for (const { low: from, high: to, atMs } of pair.bounds) {
      const drift = (DRIFT * (now - atMs)) / 1e3
      low = Math.max(low, from - drift)
      high = Math.min(high, to + drift)
    }
    return { low, high }
  }

  function estimate(pair: Pair): ClockOffset {
    const { low, high } = clock.monotonicMs() - pair.knownMs < FRESH_MS ? pair.known : intersect(pair)
    const error = Math.max(0, high - low) / 2 + Math.max(0, low - high)
    return { from: pair.inner, to: pair.outer, offsetSeconds: -(low + high) / 2, errorSeconds: error }
  }

  function pairOf({ outer, inner }: SeamStamps): Pair {
    const key = `${outer}\n${inner}`
    let pair = pairs.get(key)
    if (pair === undefined) {
      if (pairs.size >= MAX_PAIRS) pairs.delete(pairs.keys().next().value as string)
      pair = { outer, inner, bounds: [], count: 0, known: { low: 0, high: 0 }, knownMs: Number.NEGATIVE_INFINITY }
      pairs.set(key, pair)
    }
    return pair
  }

  return {
    add(stamps) {
      const bounds = boundsOf(stamps)
      if (bounds.high < bounds.low) return
      const pair = pairOf(stamps)
      const now = clock.monotonicMs()
      pair.count++
      const { low, high } = pair.known
      if (now - pair.knownMs < FRESH_MS && bounds.low <= low && bounds.high >= high) return
      // A clock that was stepped contradicts what it said before: the old bounds go.
      if (pair.bounds.length > 0 && (bounds.low > high + STEP_SECONDS || bounds.high < low - STEP_SECONDS)) {
        pair.bounds = []
        pair.count = 1
      }
      pair.bounds = pair.bounds.filter((entry) => now - entry.atMs < WINDOW_MS)
      pair.bounds.push({ ...bounds, atMs: now })
      if (pair.bounds.length > KEPT) dropLeastTelling(pair)
      pair.known = intersect(pair)
      pair.knownMs = now
    },
    offset(outer, inner) {
      const pair = pairs.get(`${outer}\n${inner}`)
      return pair === undefined || pair.count < MIN_REQUESTS ? null : estimate(pair)
    },
    list: () => [...pairs.values()].map(estimate),
  }
}

/** Keeps what bounds the offset best: the oldest of those that are neither the highest low nor the lowest high goes. */
function dropLeastTelling(pair: Pair): void {
  const { bounds } = pair
  const bestLow = bounds.reduce((best, next) => (next.low > best.low ? next : best))
  const bestHigh = bounds.reduce((best, next) => (next.high < best.high ? next : best))
  const at = bounds.findIndex((entry) => entry !== bestLow && entry !== bestHigh)
  if (at >= 0) bounds.splice(at, 1)
}
