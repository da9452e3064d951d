// Slices and phases that take longer than is usual for them, from recording rules alone: what to read when the localizer is silent.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { type TablePanel, table } from './panels.ts'
import type { Queries } from './queries.ts'

const LABELS = ['cluster', 'model', 'slice', 'phase'] as const
const ROWS = 8

/** The slices that stand out most, by the recording that weighs them. */
export function slowerSlices(q: Queries, height: number): TablePanel {
  const recorded = (name: string) => q.selectRecorded(name, LABELS)
  const now = recorded(RECORDINGS.slicePhaseMeanSeconds)
  const usual = recorded(RECORDINGS.slicePhaseUsualSeconds)
  const score = `topk(${ROWS}, ${recorded(RECORDINGS.slicePhaseExcessWeight)})`
  return table({
    title: 'Slower than usual',
    description:
      'Phase by slice: mean of five minutes against the median of the last hours, the place that holds most of the extra time first; a place without a mean has requests in flight that do not end. Needs no localizer.',
    unit: 'none',
    width: 24,
    height,
    noValue: 'No slice is slower than is usual for it',
    // Without their names, or a table would not put the values of one slice into one row.
    targets: [
      { expr: `0 + ${score}`, instant: true },
      { expr: `0 + ${now} and ${score}`, instant: true },
      { expr: `0 + ${usual} and ${score}`, instant: true },
    ],
    columns: [
      { field: 'phase', title: 'Phase', width: 140 },
      { field: 'slice', title: 'Slice', width: 320 },
      { field: 'model', title: 'Model' },
      { field: 'cluster', title: 'Cluster' },
      { field: 'Value #B', title: 'Now', unit: 's', width: 110 },
      { field: 'Value #C', title: 'Usual', unit: 's', width: 110 },
      { field: 'Value #A', title: 'Weight', unit: 'short', width: 110 },
    ],
    sortBy: { column: 'Weight', descending: true },
  })
}
