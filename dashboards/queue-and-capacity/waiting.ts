// Who waits, where, and how long.
import { type Row, timeSeries } from '../panels.ts'
import { metricName, type Queries } from '../queries.ts'

export function waiting(q: Queries): Row {
  return {
    title: 'Waiting',
    panels: [
      timeSeries({
        title: 'Time in queue',
        description: 'Engine queue time per request.',
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        logarithmic: true,
        noValue: 'No request with a known queue time in this range',
        targets: q.quantiles([0.5, 0.95, 0.99], 'phaseSeconds', { phase: '~engine\\\\.queue.*' }),
      }),
      timeSeries({
        title: 'Requests waiting and running',
        description:
          'Sum over replicas. Waiting above zero for long while KV is not full means admission limits; with KV full it means capacity.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'No engine is scraped',
        targets: [
          { expr: q.gauge('sum', 'engineWaiting'), legend: 'waiting' },
          { expr: q.gauge('sum', 'engineRunning'), legend: 'running' },
        ],
      }),
      timeSeries({
        title: 'Waiting by replica',
        description:
          'One line a replica, the ten longest queues. One high line is bad routing or a slow replica; all high is too little capacity.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'No engine is scraped',
        targets: [{ expr: `topk(10, ${q.gauge('sum', 'engineWaiting', ['replica'])})`, legend: '{{replica}}' }],
      }),
      timeSeries({
        title: 'Spread of load',
        description:
          'Standard deviation over mean of running requests across replicas. Above 0.5 routing is the problem and more replicas will not help.',
        unit: 'percentunit',
        width: 8,
        min: 0,
        thresholds: [
          { value: null, colour: 'text' },
          { value: 0.5, colour: 'orange' },
        ],
        noValue: 'No engine is scraped, or all are idle',
        targets: [
          {
            expr: `stddev by (model) (${q.gauge('sum', 'engineRunning', ['model', 'replica'])}) / avg by (model) (${q.gauge('sum', 'engineRunning', ['model', 'replica'])})`,
            legend: '{{model}}',
          },
        ],
      }),
      timeSeries({
        title: 'KV cache in use',
        description: 'By replica, the ten fullest. High use is the design point; with preemptions it is pressure.',
        unit: 'percentunit',
        width: 8,
        min: 0,
        max: 1,
        noValue: 'No engine reports its KV cache',
        targets: [{ expr: `topk(10, ${q.gauge('max', 'engineKvUsageRatio', ['replica'])})`, legend: '{{replica}}' }],
      }),
      timeSeries({
        title: 'Gateway queue',
        description: `Flow control in front of the engines (${metricName('phaseSeconds')} of gateway.queue).`,
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        noValue: 'No gateway reports a queue',
        targets: q.quantiles([0.5, 0.99], 'phaseSeconds', { phase: 'gateway.queue' }),
      }),
    ],
  }
}
