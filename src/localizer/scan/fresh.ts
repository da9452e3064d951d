// Parts of the fleet that the baseline hardly knows: a new revision, a node that was added. They have no baseline of their own, so the
// fleet's baseline, at no more than the value's own size, stands for it. A new tenant is not one: its slowness may be its own.
import type { Counts } from './statistic.ts'

export function isFresh(counts: Counts): boolean {
  return counts.xB < 3 && counts.xB <= counts.xA / 20
}

export function siblingBaseline(counts: Counts, all: Counts): Counts {
  const share = Math.min(1, counts.xA / Math.max(all.xB, 1e-9))
  return { ...counts, cB: all.cB * share, xB: all.xB * share }
}
