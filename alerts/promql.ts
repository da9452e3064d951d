// The few pieces of PromQL that every rule is put together from: a selector that quotes its values, and the joins in use.
import type { MetricDefinition } from '@longpole/model/conventions/metrics'

/** A PromQL string literal. PromQL follows Go's escapes, of which JSON's are a subset once the line separators are escaped too. */
export function quote(value: string): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

/** Escapes a value for use inside `=~` or `!~` (RE2, anchored by Prometheus). */
export function escapeRegex(value: string): string {
  return value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/**
 * `name{label="value", …}`. A value is matched exactly; one that begins with `=~`, `!~` or `!=` brings its own operator. Raw matchers,
 * as an objective's, come last as they are.
 */
export function select(metric: Pick<MetricDefinition, 'name'> | string, labels: Record<string, string> = {}, raw = ''): string {
  const name = typeof metric === 'string' ? metric : metric.name
  const matchers = Object.entries(labels).map(([label, value]) => {
    const operator = /^(=~|!~|!=)/.exec(value)?.[0] ?? '='
    return `${label}${operator}${quote(value.slice(operator === '=' ? 0 : 2))}`
  })
  if (raw !== '') matchers.push(raw)
  return matchers.length === 0 ? name : `${name}{${matchers.join(', ')}}`
}

/** Name of a histogram's series: `_bucket`, `_sum` or `_count`. */
export function series(metric: Pick<MetricDefinition, 'name'>, suffix: 'bucket' | 'sum' | 'count'): string {
  return `${metric.name}_${suffix}`
}

/** The bucket quantile of a histogram summed to the given labels. */
export function histogramQuantile(quantile: number, metric: MetricDefinition, by: string, window: string, labels = {}): string {
  return `histogram_quantile(${quantile}, sum by (${by}, le) (rate(${select(series(metric, 'bucket'), labels)}[${window}])))`
}
