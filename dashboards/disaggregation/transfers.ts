// KV transfer by source and destination.
import { type Row, table, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function transfers(q: Queries): Row {
  const pair = ['source', 'destination'] as const
  return {
    title: 'KV transfer',
    panels: [
      table({
        title: 'Pairs',
        description: 'Every prefill → decode pair of the range: mean, tail and rate of transfers, and bytes per second of transfer.',
        unit: 's',
        width: 12,
        height: 9,
        noValue: 'No KV transfer in this range',
        targets: [
          { expr: q.mean('kvTransferSeconds', pair), instant: true },
          { expr: q.quantile(0.99, 'kvTransferSeconds', pair), instant: true },
          { expr: q.part('kvTransferSeconds', '_count', pair), instant: true },
          { expr: `${q.part('kvTransferBytes', '_sum', pair)} / ${q.part('kvTransferSeconds', '_sum', pair)}`, instant: true },
        ],
        columns: [
          { field: 'source', title: 'Source' },
          { field: 'destination', title: 'Destination' },
          { field: 'Value #A', title: 'Mean', unit: 's' },
          {
            field: 'Value #B',
            title: 'p99',
            unit: 's',
            cell: 'text',
            thresholds: [
              { value: null, colour: 'green' },
              { value: 0.2, colour: 'yellow' },
              { value: 0.5, colour: 'red' },
            ],
          },
          { field: 'Value #C', title: 'Transfers', unit: 'reqps' },
          { field: 'Value #D', title: 'Bandwidth', unit: 'Bps' },
        ],
        sortBy: { column: 'p99', descending: true },
      }),
      timeSeries({
        title: 'Transfer time',
        description: 'Over all pairs. The exact bound depends on the engine; the request page says which.',
        unit: 's',
        width: 12,
        height: 9,
        colourBy: 'quantile',
        logarithmic: true,
        noValue: 'No KV transfer in this range',
        targets: q.quantiles([0.5, 0.95, 0.99], 'kvTransferSeconds'),
      }),
      timeSeries({
        title: 'Transport',
        description: 'Transfers per second by transport: a fall-back from RDMA to TCP shows here.',
        unit: 'reqps',
        width: 12,
        stack: true,
        noValue: 'No KV transfer in this range',
        targets: [{ expr: q.part('kvTransferSeconds', '_count', ['transport']), legend: '{{transport}}' }],
      }),
      timeSeries({
        title: 'Failed transfers',
        description: 'Transfers that failed, as a share.',
        unit: 'percentunit',
        width: 12,
        min: 0,
        noValue: 'No KV transfer in this range',
        targets: [
          {
            expr: q.share('kvTransfersTotal', ['model'], { result: 'failed' }),
            legend: '{{model}}',
          },
        ],
      }),
    ],
  }
}
