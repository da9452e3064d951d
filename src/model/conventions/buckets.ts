// Bucket boundaries of classic histograms, and the exponential histogram used inside.

/** Seconds, 1 ms to 640 s, about 1.6× apart: fine enough for queue times of milliseconds and tails of minutes. */
export const LATENCY_SECONDS = [
  0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.15, 0.25, 0.4, 0.6, 1, 1.5, 2.5, 4, 6, 10, 15, 25, 40, 60, 100,
  160, 250, 400, 640,
] as const

/** Seconds per token: 1 ms to 10 s. */
export const TOKEN_SECONDS = [
  0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1,
  2.5, 10,
] as const

/** The eight of `longpole_replica_phase_seconds`, which has many series. */
export const REPLICA_SECONDS = [0.005, 0.025, 0.1, 0.4, 1, 4, 15, 60] as const

/** KV bytes moved by one transfer. */
export const TRANSFER_BYTES = [1e6, 4e6, 1.6e7, 6.4e7, 2.56e8, 1.024e9, 4.096e9, 1.6384e10] as const

/** Scale of the exponential histogram of gaps: 8 buckets an octave, relative error below 4.4 %. */
export const GAP_SCALE = 3

/** Index of the base-2 exponential bucket (2^(i/2^scale), 2^((i+1)/2^scale)] that holds a positive value (OpenTelemetry data model). */
export function exponentialIndex(value: number, scale = GAP_SCALE): number {
  return Math.ceil(Math.log2(value) * 2 ** scale) - 1
}

/** Upper bound of a bucket. */
export function exponentialUpperBound(index: number, scale = GAP_SCALE): number {
  return 2 ** ((index + 1) / 2 ** scale)
}
