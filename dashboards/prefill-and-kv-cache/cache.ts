// Hit ratio by model and tier, and why it fell: preemptions, full cache, cold replicas.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function cache(q: Queries): Row {
  return {
    title: 'KV cache',
    panels: [
      timeSeries({
        title: 'Hit ratio',
        description: 'Cached prompt tokens over all prompt tokens, by model.',
        unit: 'percentunit',
        width: 8,
        min: 0,
        max: 1,
        noValue: 'No token counts in this range',
        targets: [
          {
            expr: `${q.rate('tokensTotal', ['model'], { kind: 'cached' })} / ${q.rate('tokensTotal', ['model'], { kind: 'prompt' })}`,
            legend: '{{model}}',
          },
        ],
      }),
      timeSeries({
        title: 'Cached tokens by tier',
        description: 'Where hits come from: device, host memory, disk, remote store.',
        unit: 'tokens/s',
        width: 8,
        stack: true,
        noValue: 'No cached tokens in this range',
        targets: [{ expr: q.rate('cachedTokensTotal', ['tier']), legend: '{{tier}}' }],
      }),
      timeSeries({
        title: 'Uncached prompt tokens',
        description: 'Tokens that have to be computed per second: the work of prefill.',
        unit: 'tokens/s',
        width: 8,
        noValue: 'No token counts in this range',
        targets: [
          {
            expr: `${q.rate('tokensTotal', ['model'], { kind: 'prompt' })} - ${q.rate('tokensTotal', ['model'], { kind: 'cached' })}`,
            legend: '{{model}}',
          },
        ],
      }),
      timeSeries({
        title: 'Hit ratio by replica',
        description:
          "From the engines' own counters, the ten lowest. One low line: affinity lost or a restart. All low: the prompts changed or the cache is too small.",
        unit: 'percentunit',
        width: 8,
        min: 0,
        max: 1,
        noValue: 'No engine reports token counters',
        targets: [
          {
            expr: `bottomk(10, ${q.rate('engineTokensTotal', ['replica'], { kind: 'cached' })} / ${q.rate('engineTokensTotal', ['replica'], { kind: 'prompt' })})`,
            legend: '{{replica}}',
          },
        ],
      }),
      timeSeries({
        title: 'Why hits fall: evictions and pressure',
        description: 'Preemptions per second and KV use: cache blocks are evicted when the cache is full of running requests.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'No engine is scraped',
        targets: [
          { expr: q.preemptions(), legend: 'preemptions/s' },
          { expr: q.gauge('avg', 'engineKvUsageRatio', []), legend: 'KV in use (1 = full)' },
        ],
      }),
      timeSeries({
        title: 'Why hits fall: cold requests',
        description: 'Requests that met a replica which had just started, or had to load an adapter.',
        unit: 'reqps',
        width: 8,
        min: 0,
        noValue: 'No cold request in this range',
        targets: [{ expr: q.rate('coldRequestsTotal', ['kind']), legend: '{{kind}}' }],
      }),
    ],
  }
}
