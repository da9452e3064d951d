// Which windows the continuous localizer compares: the last two minutes against the hours before, or, while something is open, all of
// it since its onset against the time before the onset.
import type { Finding } from '@longpole/model/finding'

export interface Windows {
  incident: { from: number; to: number }
  baseline: { from: number; to: number }[]
}

/** Records close some seconds after their requests: the newest are not there yet. */
export const SETTLE_SECONDS = 6
const INCIDENT_SECONDS = 120
const MAX_INCIDENT_SECONDS = 900
/** Left out between the windows: the beginning of a fault is no baseline. */
const GAP_SECONDS = 60
export const BASELINE_SECONDS = 2 * 3_600

export function chooseWindows(now: number, open: readonly Finding[]): Windows {
  const to = now - SETTLE_SECONDS
  const onsets = open.flatMap((finding) => (finding.onset === null ? [] : [Date.parse(finding.onset.low) / 1000]))
  const onset = onsets.length === 0 ? null : Math.min(...onsets)
  const from = onset === null ? to - INCIDENT_SECONDS : Math.max(Math.min(onset, to - INCIDENT_SECONDS), to - MAX_INCIDENT_SECONDS)
  const before = Math.min(from, onset ?? from) - GAP_SECONDS
  return { incident: { from, to }, baseline: [{ from: before - BASELINE_SECONDS, to: before }] }
}
