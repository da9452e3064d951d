// Slices and phases that take longer than is usual for them, from recording rules alone: what to read when the localizer is silent.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { type TablePanel, table } from './panels.ts'
import type { Queries } from './queries.ts'

const LABELS = ['cluster', 'model', 'slice', 'phase'] as const
const ROWS = 8
/** Longer than usual by less is noise. */
const LEAST = 1.3

/**
 * Ranked by extra seconds times the logarithm of the growth, so that of two slices that hold the same extra time the narrower one comes
 * first, and of two that grew as much the one with more requests (the shape of a Poisson scan statistic, Kulldorff 1997).
 */
export function slowerSlices(q: Queries, height: number): TablePanel {
  const now = q.selectRecorded(RECORDINGS.slicePhaseMeanSeconds, LABELS)
  const usual = q.selectRecorded(RECORDINGS.slicePhaseUsualSeconds, LABELS)
  const rate = q.selectRecorded(RECORDINGS.slicePhaseCountRate, LABELS)
  const growth = `(${now} / (${usual} > 0))`
  const extra = `(${rate} * (${now} - ${usual}))`
  const score = `topk(${ROWS}, ${extra} * ln(${growth} > ${LEAST}))`
  return table({
    title: 'Slower than usual',
    description:
      'Phase by slice: mean of five minutes against the median of the last hours, the place that holds most of the extra time first. Needs no localizer.',
    unit: 'none',
    width: 24,
    height,
    noValue: 'No slice is slower than is usual for it',
    // Without their names, or a table would not put the values of one slice into one row.
    targets: [
      { expr: score, instant: true },
      { expr: `0 + ${now} and ${score}`, instant: true },
      { expr: `0 + ${usual} and ${score}`, instant: true },
      { expr: `${extra} and ${score}`, instant: true },
    ],
    columns: [
      { field: 'phase', title: 'Phase', width: 140 },
      { field: 'slice', title: 'Slice', width: 320 },
      { field: 'model', title: 'Model' },
      { field: 'cluster', title: 'Cluster' },
      { field: 'Value #B', title: 'Now', unit: 's', width: 110 },
      { field: 'Value #C', title: 'Usual', unit: 's', width: 110 },
      { field: 'Value #D', title: 'Extra seconds a second', unit: 'short', width: 180 },
      { field: 'Value #A', title: 'Weight', unit: 'short', width: 100 },
    ],
    sortBy: { column: 'Weight', descending: true },
  })
}
