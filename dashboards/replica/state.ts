// What the engine itself says, and what it has in flight.
import { type Row, table, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function state(q: Queries): Row {
  return {
    title: 'State',
    panels: [
      table({
        title: 'What runs where',
        description: 'Engine, version and revision of each replica, its age and whether it answers.',
        unit: 'none',
        width: 24,
        height: 7,
        noValue: 'No engine is scraped',
        targets: [
          { expr: `max by (replica, engine, engine_version, revision, gpu_type, region) (${q.select('engineInfo')})`, instant: true },
          { expr: q.gauge('min', 'engineUp', ['replica']), instant: true },
          { expr: q.gauge('min', 'engineAgeSeconds', ['replica']), instant: true },
        ],
        columns: [
          { field: 'replica', title: 'Replica' },
          { field: 'region', title: 'Region' },
          { field: 'engine', title: 'Engine' },
          { field: 'engine_version', title: 'Version' },
          { field: 'revision', title: 'Revision' },
          { field: 'gpu_type', title: 'GPU' },
          {
            field: 'Value #B',
            title: 'Up',
            cell: 'background',
            thresholds: [
              { value: null, colour: 'red' },
              { value: 1, colour: 'green' },
            ],
          },
          { field: 'Value #C', title: 'Age', unit: 's' },
        ],
      }),
      timeSeries({
        title: 'Running and waiting',
        description: 'Requests on the chosen replicas.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'No engine is scraped',
        targets: [
          { expr: q.gauge('sum', 'engineRunning', ['replica']), legend: '{{replica}} running' },
          { expr: q.gauge('sum', 'engineWaiting', ['replica']), legend: '{{replica}} waiting' },
        ],
      }),
      timeSeries({
        title: 'KV cache and preemptions',
        description: 'KV in use (1 = full) and preemptions per second.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'No engine is scraped',
        targets: [
          { expr: q.gauge('max', 'engineKvUsageRatio', ['replica']), legend: '{{replica}} KV' },
          { expr: q.preemptions(['replica']), legend: '{{replica}} preemptions/s' },
        ],
      }),
      timeSeries({
        title: 'In flight by phase',
        description: 'Requests in flight on the chosen replicas by the phase they are in.',
        unit: 'short',
        width: 8,
        min: 0,
        stack: true,
        colourBy: 'phase',
        noValue: 'No request in flight',
        targets: [{ expr: q.gauge('sum', 'requestsOpen', ['phase']), legend: '{{phase}}' }],
      }),
      timeSeries({
        title: 'Failed requests',
        description: 'Requests that did not end well, per second by outcome.',
        unit: 'reqps',
        width: 12,
        min: 0,
        colourBy: 'outcome',
        noValue: 'No request failed in this range',
        targets: [{ expr: q.rate('replicaRequestsTotal', ['outcome'], { outcome: '!~ok' }), legend: '{{outcome}}' }],
      }),
      timeSeries({
        title: 'GPU clock',
        description: 'Where hardware counters are present: a clock that falls under load is throttling.',
        unit: 'hertz',
        width: 12,
        noValue: 'No hardware counters here',
        targets: [{ expr: `topk(16, ${q.gauge('min', 'engineGpuClockHertz', ['replica', 'rank'])})`, legend: '{{replica}} {{rank}}' }],
      }),
    ],
  }
}
