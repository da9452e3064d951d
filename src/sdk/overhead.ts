// What the SDK costs its host, measured while it works: time of its own hooks when a request begins, when it ends, and per read of a body
// (one read in sixteen is timed, so that measuring costs next to nothing). Medians of the newest samples: on a shared machine a mean
// would count the neighbours.
import { now } from './anchored-clock.ts'

export interface Overhead {
  /** Logical requests that were traced. */
  requests: number
  /** Reads of response bodies that were looked at; a read holds one token most often. */
  reads: number
  /** What the first request cost: it also pays for code that is loaded and compiled on first use. Null before it. */
  firstRequestMicroseconds: number | null
  /** What a request costs, spans included, reads apart; null before the second. */
  microsecondsPerRequest: number | null
  /** What one read costs; null before sixteen of them. */
  nanosecondsPerRead: number | null
  /** Hooks that failed and were swallowed. */
  failures: number
}

const READS_PER_SAMPLE = 16
const SAMPLES = 256

interface Samples {
  add(ms: number): void
  /** Milliseconds; null without samples. */
  median(): number | null
}

function createSamples(): Samples {
  const kept = new Float64Array(SAMPLES)
  let count = 0
  return {
    add(ms) {
      kept[count++ % SAMPLES] = ms
    },
    median() {
      if (count === 0) return null
      const sorted = kept.slice(0, Math.min(count, SAMPLES)).sort()
      return sorted[sorted.length >> 1] as number
    },
  }
}

const begins = createSamples()
const ends = createSamples()
const readTimes = createSamples()
let requests = 0
let firstRequestMs = 0
let reads = 0

/** A request, or a further attempt of it, was begun since `sinceMs`. */
export function chargeBegin(sinceMs: number): void {
  charge(begins, now() - sinceMs)
}

/** Its spans were written since `sinceMs`. */
export function chargeEnd(sinceMs: number): void {
  charge(ends, now() - sinceMs)
}

function charge(samples: Samples, ms: number): void {
  if (requests < 2) firstRequestMs += ms
  else samples.add(ms)
}

export function countRequest(): void {
  requests++
}

/** A read was looked at since `sinceMs`, when its bytes were stamped. */
export function chargeRead(sinceMs: number): void {
  if (++reads % READS_PER_SAMPLE === 0) readTimes.add(now() - sinceMs)
}

/** @internal */
export function currentOverhead(failures: number): Overhead {
  const begin = begins.median()
  const end = ends.median()
  const read = readTimes.median()
  return {
    requests,
    reads,
    firstRequestMicroseconds: requests === 0 ? null : firstRequestMs * 1000,
    microsecondsPerRequest: begin === null && end === null ? null : ((begin ?? 0) + (end ?? 0)) * 1000,
    nanosecondsPerRead: read === null ? null : read * 1e6,
    failures,
  }
}
