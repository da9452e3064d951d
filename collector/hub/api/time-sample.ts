// Windows with more requests than a picture needs are read in many short slices of time, spread evenly. Whoever uses it says so to the
// reader, and multiplies counts by `oneIn`.
import { REQUESTS } from '../../store/schema/tables.ts'
import type { Store } from '../../store/store.ts'

export interface TimeWindow {
  /** Unix nanoseconds. */
  from: bigint
  to: bigint
}

export interface TimeSample {
  /** SQL with the numbers in it; null where the whole window is read. */
  condition: string | null
  /** Length of the whole ÷ length of its slices; 1 for all of it. */
  oneIn: number
}

export const WHOLE: TimeSample = { condition: null, oneIn: 1 }

export interface TimeSampleSettings {
  /** A window with so many rows is read whole: many slices cost more than that. */
  wholeRows: number
  /** Rows to be read of a larger one, roughly. */
  maxRows: number
  /** Slices; each has a place of its own within its share of the window, so that nothing periodic in the traffic hides between them. */
  slices: number
}

/** How many requests start in the window, versions of amended ones counted too: cheap, and good enough to choose by. */
export async function estimateRows(store: Store, { from, to }: TimeWindow): Promise<number> {
  const [row] = await store.query<{ rows: number }>(
    `SELECT count() AS rows FROM ${REQUESTS.name} WHERE start_unix_ns >= {from:Int64} AND start_unix_ns < {to:Int64} SETTINGS final = 0`,
    { from: from.toString(), to: to.toString() },
  )
  return Number(row?.rows ?? 0)
}

/** The whole window where it holds no more than `wholeRows`, otherwise slices of it. */
export async function chooseSample(store: Store, window: TimeWindow, settings: TimeSampleSettings): Promise<TimeSample> {
  const rows = await estimateRows(store, window)
  return rows <= settings.wholeRows ? WHOLE : sliceWindow(window, rows / settings.maxRows, settings.slices)
}

/** Slices that are one part in `oneIn` of the window. */
export function sliceWindow({ from, to }: TimeWindow, oneIn: number, count: number): TimeSample {
  const step = (to - from) / BigInt(count)
  const edges = Array.from({ length: count + 1 }, (_, index) => from + step * BigInt(index))
  return slices('start_unix_ns', edges, oneIn)
}

/** One slice between each two edges, Unix nanoseconds ascending, one part in `oneIn` of the time between them. */
export function slices(column: 'start_unix_ns' | 'received_unix_ns', edges: readonly bigint[], oneIn: number): TimeSample {
  // Below this the store reads nearly all granules anyway.
  if (oneIn < 2) return WHOLE
  const thousandths = BigInt(Math.round(oneIn * 1_000))
  const ranges: string[] = []
  for (const [index, from] of edges.slice(0, -1).entries()) {
    const step = (edges[index + 1] as bigint) - from
    const width = (step * 1_000n) / thousandths
    if (width <= 0n) return WHOLE
    const start = from + BigInt(Math.floor(place(index) * Number(step - width)))
    ranges.push(`(${column} >= ${start} AND ${column} < ${start + width})`)
  }
  return ranges.length === 0 ? WHOLE : { condition: `(${ranges.join(' OR ')})`, oneIn: Number(thousandths) / 1_000 }
}

/** 0 to 1, the same for the same slice, evenly spread (the golden ratio's multiples, a low-discrepancy sequence). */
function place(index: number): number {
  return (0.5 + index * 0.618_033_988_749_895) % 1
}
