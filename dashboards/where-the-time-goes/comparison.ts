// Now against the same time yesterday, and the phases that grew most.
import { bar, type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'
import { phasePerRequest } from './stack.ts'

const YESTERDAY = ' offset 1d'
const HOUR_BEFORE = ' offset 1h'

export function comparison(q: Queries): Row {
  return {
    title: 'Against before',
    panels: [
      bar({
        title: 'Growth against an hour ago',
        description: 'Seconds per request that each phase takes more (or less) than an hour ago.',
        unit: 's',
        width: 8,
        height: 9,
        noValue: 'Less than an hour of history',
        targets: [{ expr: `sort_desc(${phasePerRequest(q)} - ${phasePerRequest(q, [], undefined, HOUR_BEFORE)})`, legend: '{{phase}}' }],
      }),
      bar({
        title: 'Growth against yesterday',
        description: 'Seconds per request that each phase takes more (or less) than at this time yesterday.',
        unit: 's',
        width: 8,
        height: 9,
        noValue: 'Less than a day of history',
        targets: [{ expr: `sort_desc(${phasePerRequest(q)} - ${phasePerRequest(q, [], undefined, YESTERDAY)})`, legend: '{{phase}}' }],
      }),
      timeSeries({
        title: 'Mean end-to-end, today and yesterday',
        description: 'Mean duration of requests; the dashed line is the same time yesterday.',
        unit: 's',
        width: 8,
        height: 9,
        min: 0,
        faded: 'yesterday',
        noValue: 'No request settled in this range',
        targets: [
          { expr: `sum(${phasePerRequest(q)})`, legend: 'today' },
          { expr: `sum(${phasePerRequest(q, [], undefined, YESTERDAY)})`, legend: 'yesterday' },
        ],
      }),
    ],
  }
}
