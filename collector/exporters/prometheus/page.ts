// Series as prom-client's Registry writes them on a page: it takes anything that has a name, a type and its values.
import type { MetricDefinition } from '@longpole/model/conventions/metrics'
import { type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client'
import type { Exemplar, Series, SeriesTable } from './series.ts'

type ContentType = PrometheusContentType | OpenMetricsContentType

export function createPage(contentType: ContentType, tables: Iterable<SeriesTable>): Registry {
  const page = new Registry(contentType)
  const isOpen = contentType === Registry.OPENMETRICS_CONTENT_TYPE
  for (const table of tables) page.registerMetric(view(table, isOpen) as never)
  return page
}

/**
 * OpenMetrics wants counters named without `_total` and adds it again. One whose name does not end in `_total` cannot be a counter
 * there (OpenMetrics 1.0, Counter): it is written as `unknown`, so that both pages have the same names.
 */
function view({ definition, all }: SeriesTable, isOpen: boolean) {
  const { help, type } = definition
  const isPlain = type === 'counter' && !definition.name.endsWith('_total')
  const name = isOpen && type === 'counter' ? definition.name.replace(/_total$/, '') : definition.name
  const shownType = isOpen && isPlain ? 'unknown' : type
  return {
    name,
    help,
    type: shownType,
    get: async () => ({ name, help, type: shownType, values: [...all()].flatMap((series) => valuesOf(definition, series)) }),
  }
}

interface Value {
  metricName?: string
  labels: Readonly<Record<string, string | number>>
  sharedLabels?: Readonly<Record<string, string>>
  value: number
  exemplar?: { labelSet: Record<string, string>; value: number; timestamp: number } | undefined
}

function valuesOf({ name, buckets = [] }: MetricDefinition, { labels, value, counts, sum, exemplars }: Series): Value[] {
  if (counts === null) return [{ labels, value }]
  let count = 0
  const values: Value[] = []
  for (let index = 0; index <= buckets.length; index++) {
    count += counts[index] as number
    const le = buckets[index] ?? '+Inf'
    values.push({
      metricName: `${name}_bucket`,
      labels: { le },
      sharedLabels: labels,
      value: count,
      exemplar: exemplarOf(exemplars?.[index]),
    })
  }
  values.push({ metricName: `${name}_sum`, labels: {}, sharedLabels: labels, value: sum })
  values.push({ metricName: `${name}_count`, labels: {}, sharedLabels: labels, value: count })
  return values
}

/** Labels and values of an exemplar are limited to 128 characters together (OpenMetrics 1.0, Exemplars). */
const TRACE_ID = /^[0-9a-f]{32}$/

function exemplarOf(exemplar: Exemplar | undefined): Value['exemplar'] {
  if (exemplar === undefined || !TRACE_ID.test(exemplar.traceId)) return undefined
  return { labelSet: { trace_id: exemplar.traceId }, value: exemplar.value, timestamp: exemplar.unixSeconds }
}
