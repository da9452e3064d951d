// The table of open findings, on the fleet overview and on Bottlenecks: one row is a sentence of the localizer.
import { METRICS } from '@longpole/model/conventions/metrics'
import { CONSOLE_VARIABLE } from './board.ts'
import { type TablePanel, table } from './panels.ts'
import type { Queries } from './queries.ts'

const JOIN = 'on (cluster, model, slo, rank) group_left ()'

/** Findings, best first, with share, onset and bad requests. */
export function findingsTable(q: Queries, height: number): TablePanel {
  const info = q.select('findingInfo')
  const beside = (metric: 'findingShare' | 'findingOnset' | 'findingBadRequests') => `${info} * ${JOIN} ${METRICS[metric].name}`
  return table({
    title: 'What is wrong now',
    description: 'Open findings of the localizer, best first: phase, slice, mechanism, since when, how much of the regression it explains.',
    unit: 'none',
    width: 24,
    height,
    noValue: 'Nothing is wrong: the localizer has no open finding',
    targets: [
      { expr: beside('findingShare'), instant: true },
      { expr: `${beside('findingOnset')} * 1000`, instant: true },
      { expr: beside('findingBadRequests'), instant: true },
    ],
    columns: [
      { field: 'phase', title: 'Phase', width: 140 },
      {
        field: 'slice',
        title: 'Slice',
        width: 320,
        link: { title: 'Why (console)', url: `\${${CONSOLE_VARIABLE}}/why/\${__data.fields.finding}` },
      },
      { field: 'mechanism', title: 'Mechanism', width: 150 },
      { field: 'Value #B', title: 'Since', unit: 'dateTimeFromNow', width: 120 },
      { field: 'Value #A', title: 'Explains', unit: 'percentunit', width: 80 },
      { field: 'Value #C', title: 'Bad requests', unit: 'short', width: 110 },
      { field: 'confidence', title: 'Confidence', width: 90 },
      { field: 'model', title: 'Model', width: 130 },
      { field: 'slo', title: 'Objective', width: 90 },
      { field: 'verdict', title: 'Verdict', width: 110 },
      { field: 'change', title: 'Change' },
      { field: 'finding', title: 'Id', hidden: true },
    ],
    sortBy: { column: 'Bad requests', descending: true },
  })
}
