// The two pools beside each other.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function pools(q: Queries): Row {
  const shared = { width: 8, min: 0 }
  return {
    title: 'Pools',
    panels: [
      timeSeries({
        ...shared,
        unit: 'short',
        title: 'Waiting by pool',
        description: 'A queue in one pool only: move replicas towards it.',
        noValue: 'No engine is scraped',
        targets: [{ expr: q.gauge('sum', 'engineWaiting', ['pool']), legend: '{{pool}}' }],
      }),
      timeSeries({
        ...shared,
        unit: 'short',
        title: 'Running per replica by pool',
        description: 'Mean batch of each pool.',
        noValue: 'No engine is scraped',
        targets: [{ expr: q.gauge('avg', 'engineRunning', ['pool']), legend: '{{pool}}' }],
      }),
      timeSeries({
        ...shared,
        unit: 'percentunit',
        max: 1,
        title: 'KV cache by pool',
        description: 'A decode pool that is full holds finished prefills back.',
        noValue: 'No engine reports its KV cache',
        targets: [{ expr: q.gauge('avg', 'engineKvUsageRatio', ['pool']), legend: '{{pool}}' }],
      }),
    ],
  }
}
