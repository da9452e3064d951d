// One barrier a layer: the step of a group is the step of its slowest rank.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function ranks(q: Queries): Row {
  const ranked = { rank: '!' }
  return {
    title: 'Ranks',
    panels: [
      timeSeries({
        title: 'Step time by rank',
        description:
          'Mean step by rank. In a group all ranks show the time of the slowest; the slow one is the rank with the fewest requests waiting on it and the highest expert load.',
        unit: 's',
        width: 12,
        height: 9,
        noValue: 'No engine reports ranks',
        targets: [
          { expr: `topk(16, ${q.gauge('avg', 'engineStepSeconds', ['replica', 'rank'], ranked)})`, legend: '{{replica}} rank {{rank}}' },
        ],
      }),
      timeSeries({
        title: 'Expert load of the busiest over the mean',
        description: '1 is balanced. Above 1.5 the busiest expert sets the pace of the group.',
        unit: 'short',
        width: 12,
        height: 9,
        min: 1,
        thresholds: [
          { value: null, colour: 'text' },
          { value: 1.5, colour: 'orange' },
        ],
        noValue: 'No engine reports the load of experts',
        targets: [{ expr: `topk(16, ${q.gauge('max', 'engineExpertLoadRatio', ['replica', 'rank'])})`, legend: '{{replica}} {{rank}}' }],
      }),
      timeSeries({
        title: 'Imbalance of running requests',
        description: 'Highest over mean of running requests across the ranks of a replica.',
        unit: 'short',
        width: 12,
        min: 1,
        noValue: 'No engine reports ranks',
        targets: [
          {
            expr: `max by (replica) (${q.select('engineRunning', ranked)}) / avg by (replica) (${q.select('engineRunning', ranked)} > 0)`,
            legend: '{{replica}}',
          },
        ],
      }),
      timeSeries({
        title: 'Waiting by rank',
        description: 'Requests waiting on each rank, the sixteen longest.',
        unit: 'short',
        width: 12,
        min: 0,
        noValue: 'No engine reports ranks',
        targets: [
          { expr: `topk(16, ${q.gauge('sum', 'engineWaiting', ['replica', 'rank'], ranked)})`, legend: '{{replica}} rank {{rank}}' },
        ],
      }),
    ],
  }
}
