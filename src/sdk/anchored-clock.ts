// The SDK's one clock: monotonic milliseconds, anchored to wall time, turned into OpenTelemetry's time pairs without losing digits.
// Durations come from the monotonic side only; the anchor moves solely between requests, never inside one.
import type { HrTime } from '@opentelemetry/api'

/** Wall time and monotonic time of one instant. */
export interface Anchor {
  readonly monotonicMs: number
  readonly unixMs: number
}

/** Beyond this the wall clock has been stepped (or the machine slept) and a new anchor is taken for later requests. */
const STEP_MS = 20

/** Monotonic milliseconds; the stamp of everything the SDK sees. */
export const now: () => number = performance.now.bind(performance)

/** `performance.timeOrigin` has microseconds, `Date.now()` only whole milliseconds. */
let current: Anchor = { monotonicMs: 0, unixMs: performance.timeOrigin }

/** The anchor for a request that begins now. All its stamps are converted with this one. */
export function anchorForRequest(monotonicMs: number): Anchor {
  const expected = current.unixMs + (monotonicMs - current.monotonicMs)
  if (Math.abs(Date.now() - expected) > STEP_MS) current = takeAnchor()
  return current
}

/** `Date.now()` cuts off half a millisecond on average. */
function takeAnchor(): Anchor {
  return { monotonicMs: now(), unixMs: Date.now() + 0.5 }
}

/** A stamp as OpenTelemetry's `[seconds, nanoseconds]`. */
export function toHrTime(anchor: Anchor, monotonicMs: number): HrTime {
  const nanos = Math.round((monotonicMs - anchor.monotonicMs + (anchor.unixMs % 1000)) * 1e6)
  const carry = Math.floor(nanos / 1e9)
  return [Math.floor(anchor.unixMs / 1000) + carry, nanos - carry * 1e9]
}
