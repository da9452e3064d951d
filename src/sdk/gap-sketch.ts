// The times between the chunks of one stream in bounded space: a base-2 exponential histogram and the eight longest gaps.
import { exponentialIndex } from '@longpole/model/conventions/buckets'

/** Longest gaps kept. */
const WORST = 8
/** Chunks that arrive in one read have no measurable gap; they count as this many seconds (the histogram has no bucket for 0). */
const SMALLEST_SECONDS = 1e-6
const LOWEST_INDEX = exponentialIndex(SMALLEST_SECONDS)
/** Up to 2^15 s: longer gaps share the last bucket. */
const BUCKETS = 15 * 8 - LOWEST_INDEX + 1

export interface GapSketch {
  /** `endMs` is when the later chunk came. */
  add(gapMs: number, endMs: number): void
  /** Bucket index → count, ascending. */
  histogram(): [index: number, count: number][]
  /** Longest first; milliseconds. */
  worst(): { endMs: number; gapMs: number }[]
}

export function createGapSketch(): GapSketch {
  let counts: Uint32Array | undefined
  const worst: { endMs: number; gapMs: number }[] = []
  let entry = 0
  return {
    add(gapMs, endMs) {
      const seconds = gapMs / 1000
      const index = seconds > SMALLEST_SECONDS ? exponentialIndex(seconds) - LOWEST_INDEX : 0
      const bucket = Math.min(index, BUCKETS - 1)
      counts ??= new Uint32Array(BUCKETS)
      counts[bucket] = (counts[bucket] as number) + 1
      if (worst.length === WORST && gapMs <= entry) return
      keep(worst, { endMs, gapMs })
      entry = (worst[worst.length - 1] as { gapMs: number }).gapMs
    },
    histogram() {
      const filled: [number, number][] = []
      for (let bucket = 0; counts !== undefined && bucket < BUCKETS; bucket++) {
        const count = counts[bucket] as number
        if (count > 0) filled.push([bucket + LOWEST_INDEX, count])
      }
      return filled
    },
    worst: () => worst.slice(),
  }
}

function keep(worst: { endMs: number; gapMs: number }[], gap: { endMs: number; gapMs: number }): void {
  let place = worst.length
  while (place > 0 && (worst[place - 1] as { gapMs: number }).gapMs < gap.gapMs) place--
  worst.splice(place, 0, gap)
  if (worst.length > WORST) worst.pop()
}
