// Arithmetic of phases that every adapter needs: seconds to nanoseconds, residuals that are never negative.
import type { Exactness, MeasuredPhaseId, PhaseDuration } from '@longpole/model/phase'
import type { Span } from '@longpole/model/span'

export function nanos(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e9))
}

/** Length of a span, never negative. */
export function spanSeconds(span: Span): number {
  return Math.max(0, Number(span.endUnixNano - span.startUnixNano) / 1e9)
}

/** One phase; a negative residual is clamped to 0, an unknown duration is no phase at all. */
export function phase(id: MeasuredPhaseId, seconds: number | null, source: string, exactness: Exactness): PhaseDuration[] {
  if (seconds === null || !Number.isFinite(seconds)) return []
  return [{ phase: id, seconds: Math.max(0, seconds), source, exactness }]
}

/** The later of the stamps that are known. */
export function latest(stamps: readonly (bigint | null | undefined)[]): bigint | null {
  let found: bigint | null = null
  for (const stamp of stamps) if (stamp != null && (found === null || stamp > found)) found = stamp
  return found
}

/** The earlier of the stamps that are known. */
export function earliest(stamps: readonly (bigint | null | undefined)[]): bigint | null {
  let found: bigint | null = null
  for (const stamp of stamps) if (stamp != null && (found === null || stamp < found)) found = stamp
  return found
}

/** Seconds from one stamp to another of the same clock; null where either is unknown. */
export function between(start: bigint | null | undefined, end: bigint | null | undefined): number | null {
  return start == null || end == null ? null : Number(end - start) / 1e9
}
