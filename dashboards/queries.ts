// PromQL helpers of the boards. A selector is written once: it takes from a metric's definition which of the board's variables apply.
import { METRICS, type MetricKey } from '@longpole/model/conventions/metrics'
import type { Target } from './panels.ts'

/** Variables a board may have, in the order they are shown; the name is the label's name. */
export const VARIABLES = ['cluster', 'region', 'model', 'pool', 'replica', 'tenant_class', 'prompt_class'] as const
export type Variable = (typeof VARIABLES)[number]

type LabelsOf<K extends MetricKey> = (typeof METRICS)[K]['labels'][number]

/** Matchers beyond the variables: `{ slo: 'ttft' }` is equality, `{ phase: '~client.*' }` a regular expression, `{ rank: '!' }` not empty. */
export type Matchers = Record<string, string>

export const RATE = '$__rate_interval'

export interface Queries {
  /** `name{cluster=~"$cluster",…}` with the variables that the metric's labels allow. */
  select(metric: MetricKey, matchers?: Matchers, suffix?: '_bucket' | '_sum' | '_count'): string
  /** Per-second rate of a counter, summed by labels. */
  rate<K extends MetricKey>(metric: K, by?: readonly LabelsOf<K>[], matchers?: Matchers): string
  /** Preemptions per second, 0 for an engine that is scraped and has not counted one yet (some name the counter with the first). */
  preemptions(by?: readonly LabelsOf<'enginePreemptionsTotal'>[]): string
  /** Increase over the dashboard's whole range, summed by labels. */
  increase<K extends MetricKey>(metric: K, by?: readonly LabelsOf<K>[], matchers?: Matchers): string
  /** Rate of a histogram's `_sum` or `_count`. */
  part<K extends MetricKey>(metric: K, part: '_sum' | '_count', by?: readonly LabelsOf<K>[], matchers?: Matchers): string
  /** Share of those that match among all, 0 where none does. */
  share<K extends MetricKey>(metric: K, by: readonly LabelsOf<K>[], matchers: Matchers): string
  /** Share of judged requests that are bad; both results of an objective are counted from 0 on, so none is missing. */
  badShare(by: readonly LabelsOf<'sloRequestsTotal'>[]): string
  /** Mean of a histogram's observations, by labels. */
  mean<K extends MetricKey>(metric: K, by?: readonly LabelsOf<K>[], matchers?: Matchers): string
  quantile<K extends MetricKey>(quantile: number, metric: K, by?: readonly LabelsOf<K>[], matchers?: Matchers): string
  /** The targets of a quantile panel, one line a share, named p50, p95, …; exemplars belong to the highest. */
  quantiles(shares: readonly number[], metric: MetricKey, matchers?: Matchers, options?: { exemplars?: boolean }): Target[]
  /** An aggregate of a gauge. */
  gauge<K extends MetricKey>(
    operation: 'sum' | 'avg' | 'max' | 'min' | 'count',
    metric: K,
    by?: readonly LabelsOf<K>[],
    matchers?: Matchers,
  ): string
  /** Matchers of the board's variables for a series that carries these labels, for recording rules: `{cluster=~"$cluster"}`. */
  selectRecorded(name: string, labels: readonly string[], matchers?: Matchers): string
}

/** Name of a metric, for use in hand-written expressions. */
export function metricName(metric: MetricKey): string {
  return METRICS[metric].name
}

function matcher(label: string, value: string): string {
  if (value === '!') return `${label}!=""`
  if (value.startsWith('!~')) return `${label}!~"${value.slice(2)}"`
  if (value.startsWith('~')) return `${label}=~"${value.slice(1)}"`
  return `${label}="${value}"`
}

export function createQueries(variables: readonly Variable[]): Queries {
  const selectRecorded = (name: string, labels: readonly string[], matchers: Matchers = {}): string => {
    const fromVariables = variables
      .filter((label) => labels.includes(label) && !(label in matchers))
      .map((label) => `${label}=~"$${label}"`)
    const own = Object.entries(matchers).map(([label, value]) => matcher(label, value))
    const all = [...fromVariables, ...own]
    return all.length === 0 ? name : `${name}{${all.join(',')}}`
  }
  const select: Queries['select'] = (metric, matchers, suffix = undefined) => {
    return selectRecorded(`${METRICS[metric].name}${suffix ?? ''}`, METRICS[metric].labels, matchers)
  }
  const by = (labels: readonly string[] = []): string => (labels.length === 0 ? '' : ` by (${labels.join(', ')}) `)
  const quantile: Queries['quantile'] = (share, metric, labels = [], matchers = undefined) =>
    `histogram_quantile(${share}, sum by (${['le', ...labels].join(', ')}) (rate(${select(metric, matchers, '_bucket')}[${RATE}])))`
  const rate = (metric: MetricKey, labels?: readonly string[], matchers?: Matchers) =>
    `sum${by(labels)}(rate(${select(metric, matchers)}[${RATE}]))`
  return {
    select,
    selectRecorded,
    quantile,
    quantiles: (shares, metric, matchers, { exemplars = false } = {}) =>
      shares.map((share) => ({
        expr: quantile(share, metric, [], matchers),
        legend: `p${100 * share}`,
        ...(exemplars && share === Math.max(...shares) ? { exemplar: true } : {}),
      })),
    rate,
    preemptions: (labels) => `(${rate('enginePreemptionsTotal', labels)} or 0 * sum${by(labels)}(${select('engineUp')}))`,
    increase: (metric, labels, matchers) => `sum${by(labels)}(increase(${select(metric, matchers)}[$__range]))`,
    part: (metric, part, labels, matchers) => `sum${by(labels)}(rate(${select(metric, matchers, part)}[${RATE}]))`,
    share: (metric, labels, matchers) => {
      const all = rate(metric, labels)
      return `(${rate(metric, labels, matchers)} or 0 * ${all}) / ${all}`
    },
    badShare: (labels) => `${rate('sloRequestsTotal', labels, { result: 'bad' })} / ${rate('sloRequestsTotal', labels)}`,
    mean: (metric, labels, matchers) =>
      `(sum${by(labels)}(rate(${select(metric, matchers, '_sum')}[${RATE}])) / sum${by(labels)}(rate(${select(metric, matchers, '_count')}[${RATE}])))`,
    gauge: (operation, metric, labels, matchers) => `${operation}${by(labels)}(${select(metric, matchers)})`,
  }
}
