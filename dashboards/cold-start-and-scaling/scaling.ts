// Replicas that are there, that should be, how old they are, and what cold ones cost.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function scaling(q: Queries): Row {
  return {
    title: 'Scaling',
    panels: [
      timeSeries({
        title: 'Replicas up against seen in the last hour',
        description: 'A gap is replicas that were lost or scaled down.',
        unit: 'short',
        width: 8,
        min: 0,
        faded: 'seen.*',
        noValue: 'No engine is scraped',
        targets: [
          { expr: `sum by (model) (${q.select('engineUp')})`, legend: '{{model}}' },
          { expr: q.gauge('sum', 'engineExpected', ['model']), legend: 'seen {{model}}' },
        ],
      }),
      timeSeries({
        title: 'Youngest replica',
        description: 'Age of the youngest replica by model: a saw-tooth near zero is a crash loop.',
        unit: 's',
        width: 8,
        min: 0,
        noValue: 'No engine reports its age',
        targets: [{ expr: q.gauge('min', 'engineAgeSeconds', ['model']), legend: '{{model}}' }],
      }),
      timeSeries({
        title: 'Cold requests',
        description: 'Requests per second that met a cold replica or had to load an adapter.',
        unit: 'reqps',
        width: 8,
        min: 0,
        noValue: 'No cold request in this range',
        targets: [{ expr: q.rate('coldRequestsTotal', ['model', 'kind']), legend: '{{model}} {{kind}}' }],
      }),
      timeSeries({
        title: 'Load per replica',
        description: 'Running and waiting requests per replica: what an autoscaler should act on.',
        unit: 'short',
        width: 12,
        min: 0,
        noValue: 'No engine is scraped',
        targets: [
          {
            expr: `(${q.gauge('sum', 'engineRunning', ['model'])} + ${q.gauge('sum', 'engineWaiting', ['model'])}) / ${q.gauge('count', 'engineUp', ['model'])}`,
            legend: '{{model}}',
          },
        ],
      }),
      timeSeries({
        title: 'Requests by model',
        description: 'Settled requests per second, to hold scaling against.',
        unit: 'reqps',
        width: 12,
        min: 0,
        noValue: 'No request settled in this range',
        targets: [{ expr: q.rate('requestsTotal', ['model']), legend: '{{model}}' }],
      }),
    ],
  }
}
