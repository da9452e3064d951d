// What the localizer says: which slice, which phase, since when, how much, why, and how sure — or that nothing is at fault.

export const VERDICTS = ['localized', 'fleet_wide', 'workload_shift', 'not_localized', 'no_regression'] as const
export type Verdict = (typeof VERDICTS)[number]

export const CONFIDENCES = ['high', 'medium', 'low'] as const
export type Confidence = (typeof CONFIDENCES)[number]

/** A slice of the fleet: dimension → one or more of its values. Empty: the whole fleet. */
export type Slice = Record<string, string[]>

/** An estimate with its interval. */
export interface Interval {
  value: number
  low: number
  high: number
}

export interface PhaseShare {
  /** A phase id, or the column's name as it was given to `longpole why --phases`. */
  phase: string
  /** Share of the change, 1 = all of it. */
  share: number
  low: number
  high: number
}

export interface Mechanism {
  name: string
  evidence_for: string[]
  evidence_against: string[]
  /** Signals that are missing and would decide. */
  needs: string[]
}

export interface ChangeMatch {
  event: { id: string; kind: string; title: string; at: string }
  /** Share of the finding's rows that the event's scope covers, and the reverse, as a Jaccard index. */
  overlap: number
  /** Difference in differences: change inside the event's scope minus change outside, in the target's unit. */
  difference: number
}

export interface Finding {
  id: string
  opened: string
  updated: string
  closed: string | null
  model: string | null
  verdict: Verdict
  /** What moved: an objective, or a quantile of a column. */
  target: { column: string; slo_seconds: number | null; quantile: number | null; slo: string | null }
  slice: Slice
  /** Other names for the same rows. */
  aliases: Slice[]
  /** Values beside the slice that are fine. */
  siblings: { slice: Slice; ratio: number }[]
  phases: PhaseShare[]
  onset: { at: string; low: string; high: string } | null
  share_explained: Interval | null
  excess_seconds: number
  bad_requests: number
  /** What moved in the workload, for `workload_shift` and as a confounder otherwise. */
  workload: { dimension: string; from: number; to: number; description: string }[]
  mechanism: Mechanism | null
  changes: ChangeMatch[]
  confidence: Confidence
  /** Calibrated probability that slice and phase are right. */
  probability: number
  looked_at: string[]
  not_seen: string[]
  next_check: string
}

/** `dim=a|b,dim=c` with dimensions and values sorted, at most `maxLength` characters. */
export function formatSlice(slice: Slice, maxLength = 120): string {
  const text = Object.keys(slice)
    .sort()
    .map((dimension) => `${dimension}=${[...(slice[dimension] ?? [])].sort().join('|')}`)
    .join(',')
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`
}
