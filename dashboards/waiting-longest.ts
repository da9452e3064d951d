// Who waits longest in flight, and where: a replica that hangs ends no request, so nothing that is made of ended requests shows it.
import { type TablePanel, table } from './panels.ts'
import type { Queries } from './queries.ts'

const ROWS = 5

export function waitingLongest(q: Queries, height: number): TablePanel {
  const by = ['cluster', 'model', 'replica', 'phase'] as const
  const oldest = `topk(${ROWS}, ${q.gauge('max', 'requestOpenAgeSecondsMax', by)})`
  return table({
    title: 'Waiting longest',
    description:
      'Requests in flight by replica and phase, the oldest first. A replica that hangs is at the top with an age that grows by the second.',
    unit: 's',
    width: 24,
    height,
    noValue: 'No request is in flight, or no sidecar reports them',
    targets: [
      { expr: oldest, instant: true },
      { expr: `${q.gauge('sum', 'requestsOpen', by)} and ${oldest}`, instant: true },
    ],
    columns: [
      { field: 'phase', title: 'Phase', width: 140 },
      { field: 'replica', title: 'Replica', width: 320 },
      { field: 'model', title: 'Model' },
      { field: 'cluster', title: 'Cluster' },
      { field: 'Value #B', title: 'In flight', unit: 'short', width: 110 },
      {
        field: 'Value #A',
        title: 'Oldest',
        unit: 's',
        width: 110,
        cell: 'text',
        thresholds: [
          { value: null, colour: 'green' },
          { value: 120, colour: 'yellow' },
          { value: 600, colour: 'red' },
        ],
      },
    ],
    sortBy: { column: 'Oldest', descending: true },
  })
}
