// Time per token, gaps and stalls.
import { heatmap, type Row, timeSeries } from '../panels.ts'
import { type Queries, RATE } from '../queries.ts'

export function pace(q: Queries): Row {
  return {
    title: 'Pace',
    panels: [
      timeSeries({
        title: 'Time per output token',
        description: 'Over all requests, after the first token.',
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        noValue: 'No request with two or more tokens in this range',
        targets: q.quantiles([0.5, 0.95, 0.99], 'tpotSeconds', {}, { exemplars: true }),
      }),
      timeSeries({
        title: 'Gaps between chunks',
        description: 'All gaps. A p99 far above the median is prefill stealing decode steps; a chunk is not always one token.',
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        logarithmic: true,
        noValue: 'No streaming request in this range',
        targets: q.quantiles([0.5, 0.99], 'itlSeconds'),
      }),
      timeSeries({
        title: 'Streams that stalled',
        description: 'Streams with a gap above ten times the TPOT objective, per second.',
        unit: 'reqps',
        width: 8,
        min: 0,
        noValue: 'No stream stalled in this range',
        targets: [{ expr: `topk(10, ${q.rate('streamStallsTotal', ['replica'])})`, legend: '{{replica}}' }],
      }),
      heatmap({
        title: 'Longest gap of a request',
        description: 'How many requests had which longest gap.',
        unit: 's',
        width: 12,
        noValue: 'No streaming request in this range',
        targets: [{ expr: `sum by (le) (increase(${q.select('itlMaxSeconds', {}, '_bucket')}[${RATE}]))`, legend: '{{le}}' }],
      }),
      timeSeries({
        title: 'Step time per running request',
        description:
          'Mean engine step over the batch it served: TPOT at equal batch. It moves when hardware, context length or experts do, not with load.',
        unit: 's',
        width: 12,
        noValue: 'No engine reports its step time',
        targets: [
          {
            expr: `topk(10, ${q.gauge('avg', 'engineStepSeconds', ['replica'])} / (${q.gauge('avg', 'engineRunning', ['replica'])} > 0))`,
            legend: '{{replica}}',
          },
        ],
      }),
    ],
  }
}
