// What the SDK costs its host, measured while it works: time of its own hooks per request and per read of the body (one read in
// sixteen is timed, so that measuring costs next to nothing).
import { now } from './anchored-clock.ts'

export interface Overhead {
  /** Logical requests that were traced. */
  requests: number
  /** Reads of response bodies that were looked at; a read holds one token most often. */
  reads: number
  /** What the first one cost: it also pays for code that is loaded and compiled on first use. Null before it. */
  firstRequestMicroseconds: number | null
  /** Mean time every later request cost, spans included, reads apart; null before the second. */
  microsecondsPerRequest: number | null
  /** Mean time one read cost; null before sixteen of them. */
  nanosecondsPerRead: number | null
  /** Hooks that failed and were swallowed. */
  failures: number
}

const SAMPLE = 16
let requests = 0
let firstRequestMs = 0
let requestMs = 0
let reads = 0
let timedReads = 0
let readMs = 0

/** Charges the time since `sinceMs` to requests. */
export function chargeRequest(sinceMs: number): void {
  if (requests < 2) firstRequestMs += now() - sinceMs
  else requestMs += now() - sinceMs
}

export function countRequest(): void {
  requests++
}

/** Charges the time since `sinceMs`, when the bytes were stamped, to one read. */
export function chargeRead(sinceMs: number): void {
  if (++reads % SAMPLE !== 0) return
  timedReads++
  readMs += now() - sinceMs
}

/** @internal */
export function currentOverhead(failures: number): Overhead {
  return {
    requests,
    reads,
    firstRequestMicroseconds: requests === 0 ? null : firstRequestMs * 1000,
    microsecondsPerRequest: requests < 2 ? null : (requestMs * 1000) / (requests - 1),
    nanosecondsPerRead: timedReads === 0 ? null : (readMs * 1e6) / timedReads,
    failures,
  }
}
