// What one sender saw of one LLM request: the common tongue between src/engines (which turns foreign spans into
// observations) and the hub's correlate processor (which joins the observations of a request into one record).
import type { OverlayDuration, PhaseDuration } from './phase.ts'
import type { RequestColumns } from './request-columns.ts'

/** Where a span was measured, outermost first. */
export const VANTAGES = ['client', 'gateway', 'sidecar', 'engine'] as const
export type Vantage = (typeof VANTAGES)[number]

export interface Observation {
  vantage: Vantage
  /**
   * `request`: a logical request as the caller meant it; `attempt`: one try of it (an HTTP exchange);
   * `hop`: a part served by one of several engines of one request (prefill and decode side).
   */
  role: 'request' | 'attempt' | 'hop'
  traceId: string
  spanId: string
  parentSpanId: string
  /** Every span this was made from, itself included: a record is a pure function of its distinct spans. */
  spanIds: string[]
  /** `x-request-id` and the engine's own ids, for joins where the trace is broken. */
  requestIds: string[]
  startUnixNano: bigint
  endUnixNano: bigint
  /** Names the clock that `startUnixNano` was read from (host and process): stamps of different clocks are never subtracted. */
  clock: string
  /** Stamps of this clock at the path's boundaries, where this vantage saw them. */
  boundaries: {
    /** Request complete at this vantage. */
    received?: bigint
    /** Connection to the next hop usable; absent on a reused one. */
    connected?: bigint
    /** Last byte of the request given to the next hop. */
    sent?: bigint
    /** Response headers seen or sent. */
    headers?: bigint
    /** First non-empty delta (text, reasoning or tool call) seen or sent. */
    firstToken?: bigint
    /** The same written on towards the caller. */
    firstTokenOut?: bigint
    lastToken?: bigint
  }
  phases: PhaseDuration[]
  overlays: OverlayDuration[]
  columns: Partial<RequestColumns>
  /** User's own dimensions. */
  dimensions?: Record<string, string>
}

/** One look at a request that has not ended, every 5 s from the sidecar. */
export interface OpenRequest {
  traceId: string
  spanId: string
  requestId: string
  startUnixNano: bigint
  observedUnixNano: bigint
  ageSeconds: number
  /** The phase it is in, as far as the sidecar can tell. */
  phase: string
  columns: Partial<RequestColumns>
}
