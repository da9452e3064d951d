// The counterfactual of one column: each incident value becomes the baseline value of equal rank (quantile mapping as in
// Machado & Mata 2005), inside strata of equal workload. Rank-preserving: the slowest stays the slowest.

/** Strata need so many rows on both sides, or they share one common stratum. */
const MIN_STRATUM = 25

/** `now` and `before` are values, `nowStratum` and `beforeStratum` their strata. Returns the healed values, aligned with `now`. */
export function rankMap(now: Float64Array, nowStratum: Uint16Array, before: Float64Array, beforeStratum: Uint16Array): Float64Array {
  const healed = Float64Array.from(now)
  if (before.length === 0) return healed
  const size = 1 + Math.max(maxOf(nowStratum), maxOf(beforeStratum))
  const nowBy = indexBy(nowStratum, size)
  const beforeBy = indexBy(beforeStratum, size)
  const restNow: number[] = []
  const restBefore: number[] = []
  for (let stratum = 0; stratum < size; stratum++) {
    const own = nowBy[stratum] as number[]
    const base = beforeBy[stratum] as number[]
    if (own.length >= MIN_STRATUM && base.length >= MIN_STRATUM) mapInto(healed, now, own, before, base)
    else {
      for (const index of own) restNow.push(index)
      for (const index of base) restBefore.push(index)
    }
  }
  if (restNow.length > 0) {
    const base = restBefore.length >= MIN_STRATUM ? restBefore : Array.from(before, (_, index) => index)
    mapInto(healed, now, restNow, before, base)
  }
  return healed
}

function mapInto(healed: Float64Array, now: Float64Array, own: number[], before: Float64Array, base: number[]): void {
  const sorted = Float64Array.from(base, (index) => before[index] as number).sort()
  const order = Uint32Array.from(own).sort((left, right) => (now[left] as number) - (now[right] as number) || left - right)
  for (let rank = 0; rank < order.length; rank++) {
    const at = ((rank + 0.5) / order.length) * sorted.length - 0.5
    const low = Math.max(0, Math.floor(at))
    const high = Math.min(low + 1, sorted.length - 1)
    const value = (sorted[low] as number) + ((sorted[high] as number) - (sorted[low] as number)) * Math.max(0, at - low)
    healed[order[rank] as number] = value
  }
}

function indexBy(strata: Uint16Array, size: number): number[][] {
  const lists: number[][] = Array.from({ length: size }, () => [])
  for (let index = 0; index < strata.length; index++) (lists[strata[index] as number] as number[]).push(index)
  return lists
}

function maxOf(values: Uint16Array): number {
  let max = 0
  for (let index = 0; index < values.length; index++) if ((values[index] as number) > max) max = values[index] as number
  return max
}
