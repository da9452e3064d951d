// Objectives: attainment, budget, burn.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { type Row, table, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

const BY = ['cluster', 'model', 'slo'] as const

export function objectives(q: Queries): Row {
  return {
    title: 'Objectives',
    panels: [
      table({
        title: 'Attainment by model and objective',
        description: 'Share of requests that met each objective over the chosen range, against what was promised.',
        unit: 'percentunit',
        width: 12,
        height: 9,
        noValue: 'No request was judged against an objective in this range',
        targets: [
          {
            expr: `${q.increase('sloRequestsTotal', ['model', 'slo'], { result: 'good' })} / ${q.increase('sloRequestsTotal', ['model', 'slo'])}`,
            instant: true,
          },
          { expr: `max by (model, slo) (${q.select('sloObjective')})`, instant: true },
          { expr: `min by (model, slo) (${q.selectRecorded(RECORDINGS.budgetRemaining, BY)})`, instant: true },
        ],
        columns: [
          { field: 'model', title: 'Model' },
          { field: 'slo', title: 'Objective' },
          {
            field: 'Value #A',
            title: 'Attained',
            unit: 'percentunit',
            cell: 'background',
            thresholds: [
              { value: null, colour: 'red' },
              { value: 0.95, colour: 'yellow' },
              { value: 0.99, colour: 'green' },
            ],
          },
          { field: 'Value #B', title: 'Promised', unit: 'percentunit' },
          {
            field: 'Value #C',
            title: 'Budget left',
            unit: 'percentunit',
            cell: 'text',
            thresholds: [
              { value: null, colour: 'red' },
              { value: 0, colour: 'yellow' },
              { value: 0.25, colour: 'green' },
            ],
          },
        ],
        sortBy: { column: 'Attained', descending: false },
      }),
      timeSeries({
        title: 'Share of bad requests',
        description: 'Requests that missed an objective, as a share. A request counts as bad when its deadline passes, not when it ends.',
        unit: 'percentunit',
        width: 12,
        height: 9,
        min: 0,
        noValue: 'No request was judged in this range',
        legend: 'table',
        targets: [{ expr: q.badShare(['model', 'slo']), legend: '{{model}} {{slo}}' }],
      }),
    ],
  }
}
