// Cost per million tokens from the configured price of a replica hour, and the idle share.
import { type Row, stat, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function costOfTokens(q: Queries): Row {
  const price = `avg by (model) (${q.select('priceReplicaHour')})`
  const spend = `(${q.gauge('count', 'engineUp', ['model'])} * on (model) ${price} / 3600)`
  const output = q.rate('tokensTotal', ['model'], { kind: 'output' })
  const prompt = q.rate('tokensTotal', ['model'], { kind: 'prompt' })
  return {
    title: 'Cost',
    panels: [
      stat({
        title: 'Spend per hour',
        description: 'Replicas up times the configured price of a replica hour.',
        unit: 'currencyUSD',
        width: 8,
        noValue: 'No price is configured (prices.replicaHour)',
        targets: [{ expr: `sum(${spend}) * 3600` }],
      }),
      stat({
        title: 'Per million output tokens',
        description: 'Spend over output tokens, over the shown range.',
        unit: 'currencyUSD',
        width: 8,
        noValue: 'No price is configured, or no tokens',
        targets: [{ expr: `1e6 * sum(${spend}) / sum(${output})` }],
      }),
      stat({
        title: 'Idle replicas',
        description: 'Share of replicas that run nothing now.',
        unit: 'percentunit',
        width: 8,
        noValue: 'No engine is scraped',
        targets: [{ expr: `(count(${q.select('engineRunning')} == 0) or vector(0)) / count(${q.select('engineRunning')})` }],
      }),
      timeSeries({
        title: 'Per million output tokens by model',
        description: 'It falls with load: an idle replica costs the same.',
        unit: 'currencyUSD',
        width: 12,
        min: 0,
        noValue: 'No price is configured, or no tokens',
        targets: [{ expr: `1e6 * ${spend} / ${output}`, legend: '{{model}}' }],
      }),
      timeSeries({
        title: 'Per million tokens, prompt and output',
        description: 'Spend over all tokens, cached ones included.',
        unit: 'currencyUSD',
        width: 12,
        min: 0,
        noValue: 'No price is configured, or no tokens',
        targets: [{ expr: `1e6 * ${spend} / (${prompt} + ${output})`, legend: '{{model}}' }],
      }),
      timeSeries({
        title: 'Saved by the cache',
        description: 'Prompt tokens per second that did not have to be computed.',
        unit: 'tokens/s',
        width: 12,
        min: 0,
        noValue: 'No cached tokens in this range',
        targets: [{ expr: q.rate('tokensTotal', ['model'], { kind: 'cached' }), legend: '{{model}}' }],
      }),
      timeSeries({
        title: 'Idle share over time',
        description: 'Share of replicas that run nothing.',
        unit: 'percentunit',
        width: 12,
        min: 0,
        max: 1,
        noValue: 'No engine is scraped',
        targets: [
          {
            expr: `(count by (model) (${q.select('engineRunning')} == 0) or 0 * count by (model) (${q.select('engineRunning')})) / count by (model) (${q.select('engineRunning')})`,
            legend: '{{model}}',
          },
        ],
      }),
    ],
  }
}
