// The findings as a table, and how much each explains over time.
import { findingsTable } from '../findings-table.ts'
import { bar, type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function findings(q: Queries): Row {
  return {
    title: 'Findings',
    panels: [
      findingsTable(q, 8),
      bar({
        title: 'Regression explained',
        description: 'Share of the regression that each open finding explains; what is missing to 100 % is not localized.',
        unit: 'percentunit',
        width: 12,
        min: 0,
        max: 1,
        noValue: 'No open finding',
        targets: [
          {
            expr: `${q.select('findingShare')} * on (cluster, model, slo, rank) group_left (phase, slice) ${q.select('findingInfo')}`,
            legend: '{{phase}} · {{slice}}',
          },
        ],
      }),
      timeSeries({
        title: 'Bad requests by finding',
        description: 'Requests that each finding made bad, as it goes on.',
        unit: 'short',
        width: 12,
        min: 0,
        noValue: 'No finding in this range',
        targets: [
          {
            expr: `${q.select('findingBadRequests')} * on (cluster, model, slo, rank) group_left (phase, slice) ${q.select('findingInfo')}`,
            legend: '{{model}} {{slo}}: {{phase}} · {{slice}}',
          },
        ],
      }),
    ],
  }
}
