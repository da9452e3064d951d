// The chosen replica against the others of its model and pool, phase by phase.
import { bar, type Row, timeSeries } from '../panels.ts'
import { type Queries, RATE } from '../queries.ts'

export function againstPeers(q: Queries): Row {
  const mine = q.mean('replicaPhaseSeconds', ['phase'])
  const all = q.mean('replicaPhaseSeconds', ['phase'], { replica: '~.*' })
  return {
    title: 'Against its peers',
    panels: [
      bar({
        title: 'Phase against peers',
        description:
          'Mean seconds of each phase on the chosen replicas over the mean of all replicas of the model. 1 is like the others; 3 is an outlier.',
        unit: 'short',
        width: 8,
        height: 10,
        thresholds: [
          { value: null, colour: 'green' },
          { value: 1.5, colour: 'yellow' },
          { value: 3, colour: 'red' },
        ],
        noValue: 'No request of this replica in this range',
        targets: [{ expr: `sort_desc(${mine} / ${all})`, legend: '{{phase}}' }],
      }),
      timeSeries({
        title: 'Phases of the chosen replicas',
        description: 'Mean seconds of each phase.',
        unit: 's',
        width: 8,
        height: 10,
        colourBy: 'phase',
        logarithmic: true,
        noValue: 'No request of this replica in this range',
        targets: [{ expr: mine, legend: '{{phase}}' }],
      }),
      timeSeries({
        title: 'Engine time by replica',
        description: 'Mean seconds in engine phases of every replica of the model, the fifteen highest.',
        unit: 's',
        width: 8,
        height: 10,
        noValue: 'No replica label on the requests of this range',
        targets: [
          {
            expr: `topk(15, sum by (replica) (rate(${q.select('replicaPhaseSeconds', { phase: '~engine.*', replica: '~.*' }, '_sum')}[${RATE}])) / max by (replica) (sum by (replica, phase) (rate(${q.select('replicaPhaseSeconds', { replica: '~.*' }, '_count')}[${RATE}]))))`,
            legend: '{{replica}}',
          },
        ],
      }),
    ],
  }
}
