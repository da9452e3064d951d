// Arrival against service, and where the fleet stands between throughput and latency.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function operatingPoint(q: Queries): Row {
  // Behind some front ends an engine keeps its counters to itself: then the requests' own tokens stand in.
  const output = `(${q.rate('engineTokensTotal', ['model'], { kind: 'output' })} or ${q.rate('tokensTotal', ['model'], { kind: 'output' })})`
  return {
    title: 'Arrival, service and the operating point',
    panels: [
      timeSeries({
        title: 'Output tokens per second',
        description: "By model, from the engines' own counters where they are scraped.",
        unit: 'tokens/s',
        width: 8,
        noValue: 'No engine reports token counters',
        targets: [{ expr: output, legend: '{{model}}' }],
      }),
      timeSeries({
        title: 'Output tokens per second and replica',
        description: 'Throughput of one replica; flat while the queue grows means saturation.',
        unit: 'tokens/s',
        width: 8,
        noValue: 'No engine reports token counters',
        targets: [
          {
            expr: `${output} / ${q.gauge('count', 'engineUp', ['model'])}`,
            legend: '{{model}}',
          },
        ],
      }),
      timeSeries({
        title: 'Batch size against step time',
        description:
          'Mean running requests and mean engine step in milliseconds: the operating point. Longer steps at an equal batch mean slower hardware or longer contexts.',
        unit: 'short',
        width: 8,
        noValue: 'No engine reports its batch or step time',
        targets: [
          { expr: q.gauge('avg', 'engineRunning', ['model']), legend: '{{model}} batch' },
          { expr: `1000 * ${q.gauge('avg', 'engineStepSeconds', ['model'])}`, legend: '{{model}} step ms' },
        ],
      }),
    ],
  }
}
