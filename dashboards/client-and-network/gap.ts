// TTFT as the client saw it against the server's, and the gap between.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function gap(q: Queries): Row {
  return {
    title: 'The gap between client and server',
    panels: [
      timeSeries({
        title: 'TTFT, client against server',
        description: 'p95 of the same requests seen from both ends.',
        unit: 's',
        width: 8,
        noValue: 'No request was seen from both ends in this range',
        targets: [
          { expr: q.quantile(0.95, 'clientTtftSeconds'), legend: 'client' },
          { expr: q.quantile(0.95, 'serverTtftSeconds'), legend: 'server' },
        ],
      }),
      timeSeries({
        title: 'Mean gap by client region',
        description: 'Mean client TTFT minus mean server TTFT of the same requests: network, gateways and the client itself.',
        unit: 's',
        width: 8,
        noValue: 'No request was seen from both ends in this range',
        targets: [
          {
            expr: `${q.mean('clientTtftSeconds', ['client_region'])} - ${q.mean('serverTtftSeconds', ['client_region'])}`,
            legend: '{{client_region}}',
          },
        ],
      }),
      timeSeries({
        title: 'Mean gap by SDK',
        description: 'The same by client library: one library only points at its version, not at the network.',
        unit: 's',
        width: 8,
        noValue: 'No request was seen from both ends in this range',
        targets: [{ expr: `${q.mean('clientTtftSeconds', ['sdk'])} - ${q.mean('serverTtftSeconds', ['sdk'])}`, legend: '{{sdk}}' }],
      }),
    ],
  }
}
