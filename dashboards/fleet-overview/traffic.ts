// Traffic, errors, and the two latencies a user feels.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function traffic(q: Queries): Row {
  return {
    title: 'Traffic',
    panels: [
      timeSeries({
        title: 'Requests by outcome',
        description: 'Settled requests per second by outcome.',
        unit: 'reqps',
        width: 8,
        stack: true,
        colourBy: 'outcome',
        noValue: 'No request settled in this range',
        targets: [{ expr: q.rate('requestsTotal', ['outcome']), legend: '{{outcome}}' }],
      }),
      timeSeries({
        title: 'TTFT',
        description: 'Time to the first token, quantiles over all requests. Dots are single requests: click one to open it.',
        unit: 's',
        width: 8,
        logarithmic: true,
        colourBy: 'quantile',
        noValue: 'No streaming request in this range',
        targets: q.quantiles([0.5, 0.95, 0.99], 'ttftSeconds', {}, { exemplars: true }),
      }),
      timeSeries({
        title: 'Time per output token',
        description: 'TPOT after the first token, quantiles over all requests.',
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        noValue: 'No request with two or more tokens in this range',
        targets: q.quantiles([0.5, 0.95, 0.99], 'tpotSeconds', {}, { exemplars: true }),
      }),
      timeSeries({
        title: 'Traffic by model',
        description: 'Requests per second by model.',
        unit: 'reqps',
        width: 8,
        stack: true,
        noValue: 'No request settled in this range',
        targets: [{ expr: q.rate('requestsTotal', ['model']), legend: '{{model}}' }],
      }),
      timeSeries({
        title: 'Errors by class',
        description: 'Failed requests per second by class of error.',
        unit: 'reqps',
        width: 8,
        noValue: 'No request failed in this range',
        targets: [{ expr: q.rate('requestsTotal', ['error_class'], { outcome: '~error|timeout|rejected' }), legend: '{{error_class}}' }],
      }),
      timeSeries({
        title: 'Goodput',
        description: 'Requests per second that met all objectives of their model.',
        unit: 'reqps',
        width: 8,
        noValue: 'No goodput objective is configured, or no request in this range',
        targets: [{ expr: q.rate('sloRequestsTotal', ['model'], { slo: 'goodput', result: 'good' }), legend: '{{model}}' }],
      }),
    ],
  }
}
