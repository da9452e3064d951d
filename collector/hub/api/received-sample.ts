// Samples of a window by the time its requests were received: the first column of the sorting key, so that the store reads the granules of
// the slices and no others, and all versions of a record are in a slice or none is. (By start it would read nearly everything: requests
// that start together are received over as long a time as they take.)
import { slices, type TimeSample, WHOLE } from './time-sample.ts'

/** When the requests of a window were received: first and last, Unix nanoseconds, and instants between them with as many requests from one
 * to the next. */
export interface Receipts {
  first: bigint
  last: bigint
  between: bigint[]
}

/** Columns `first_<name>`, `last_<name>`, `between_<name>` over the rows with `condition`, in `parts` parts. */
export function receiptColumns(name: string, condition: string, parts: number): string {
  const levels = Array.from({ length: Math.max(1, parts - 1) }, (_, index) => ((index + 1) / Math.max(2, parts)).toFixed(6))
  return [
    `toString(minIf(received_unix_ns, ${condition})) AS first_${name}`,
    `toString(maxIf(received_unix_ns, ${condition})) AS last_${name}`,
    `quantilesDeterministicIf(${levels.join(', ')})(received_unix_ns, toUInt64(start_unix_ns), ${condition}) AS between_${name}`,
  ].join(', ')
}

export function readReceipts(row: Readonly<Record<string, unknown>>, name: string): Receipts {
  const between = (row[`between_${name}`] ?? []) as (number | null)[]
  return {
    first: BigInt((row[`first_${name}`] ?? 0) as string),
    last: BigInt((row[`last_${name}`] ?? 0) as string),
    between: between.flatMap((instant) => (instant === null ? [] : [BigInt(Math.round(instant))])),
  }
}

/**
 * One slice of each part, one part in `oneIn` of its time: every request has the same chance, whether it was received at once or long after
 * the others. The whole window where so much is to be read that slices save nothing, or where most were received at few instants.
 */
export function sliceReceipts({ first, last, between }: Receipts, oneIn: number): TimeSample {
  const inside = between.filter((instant) => instant > first && instant <= last)
  const edges = [...new Set([first, ...inside, last + 1n])].sort((a, b) => (a < b ? -1 : 1))
  if (edges.length < between.length) return WHOLE
  return slices('received_unix_ns', edges, oneIn)
}
