// Parts of connecting, and the network phases by serving region.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function connect(q: Queries): Row {
  return {
    title: 'Connecting and the wire',
    panels: [
      timeSeries({
        title: 'DNS, TCP, TLS',
        description: 'p95 of each part, over requests that opened a connection.',
        unit: 's',
        width: 8,
        noValue: 'No request opened a connection in this range',
        targets: [{ expr: q.quantile(0.95, 'connectSeconds', ['part']), legend: '{{part}}' }],
      }),
      timeSeries({
        title: 'New connections',
        description: 'Connections opened per second by client region. A jump means keep-alive was lost.',
        unit: 'reqps',
        width: 8,
        min: 0,
        noValue: 'No request opened a connection in this range',
        targets: [{ expr: q.part('connectSeconds', '_count', ['client_region'], { part: 'tcp' }), legend: '{{client_region}}' }],
      }),
      timeSeries({
        title: 'Network phases',
        description: 'Mean of connect, upload, return path and drain over requests that had them.',
        unit: 's',
        width: 8,
        colourBy: 'phase',
        noValue: 'No client spans in this range',
        targets: [
          {
            expr: q.mean('phaseSeconds', ['phase'], { phase: '~client.connect|client.upload|stream.network|stream.drain' }),
            legend: '{{phase}}',
          },
        ],
      }),
      timeSeries({
        title: 'Network phases by serving region',
        description: 'Mean seconds per request of the network phases by region: one region only points at a link.',
        unit: 's',
        width: 12,
        noValue: 'No client spans in this range',
        targets: [
          { expr: q.mean('phaseSeconds', ['region'], { phase: '~client.connect|client.upload|stream.network' }), legend: '{{region}}' },
        ],
      }),
      timeSeries({
        title: 'Aborted and timed out',
        description: 'Requests that the client gave up on, per second.',
        unit: 'reqps',
        width: 12,
        min: 0,
        colourBy: 'outcome',
        noValue: 'No request was given up on in this range',
        targets: [{ expr: q.rate('requestsTotal', ['outcome'], { outcome: '~aborted|timeout' }), legend: '{{outcome}}' }],
      }),
    ],
  }
}
