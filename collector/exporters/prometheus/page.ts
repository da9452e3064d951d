// Series as prom-client's Registry writes them on a page: it takes anything that has a name, a type and its values.
import type { MetricDefinition } from '@longpole/model/conventions/metrics'
import { type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client'
import type { Exemplar, Series, SeriesTable } from './series.ts'

type ContentType = PrometheusContentType | OpenMetricsContentType

export function createPage(contentType: ContentType, tables: Iterable<SeriesTable>): Registry {
  const page = new Registry(contentType)
  const isOpen = contentType === Registry.OPENMETRICS_CONTENT_TYPE
  for (const family of familiesOf([...tables])) page.registerMetric(view(family, isOpen) as never)
  return page
}

interface Family {
  name: string
  help: string
  type: MetricDefinition['type'] | 'summary'
  tables: readonly [SeriesTable, SeriesTable?]
}

/** One for each metric; a counter `x_sum` and its `x_count` are one summary `x`, which is what both formats call such a pair. */
function familiesOf(tables: readonly SeriesTable[]): Family[] {
  const byName = new Map(tables.map((table) => [table.definition.name, table]))
  return tables.flatMap((table): Family[] => {
    const { name, help, type } = table.definition
    const counts = name.endsWith('_sum') ? byName.get(name.replace(/_sum$/, '_count')) : undefined
    if (counts !== undefined) return [{ name: name.replace(/_sum$/, ''), help, type: 'summary', tables: [table, counts] }]
    if (name.endsWith('_count') && byName.has(name.replace(/_count$/, '_sum'))) return []
    return [{ name, help, type, tables: [table] }]
  })
}

/** OpenMetrics wants counters named without `_total` and adds it again. */
function view({ name, help, type, tables }: Family, isOpen: boolean) {
  const shown = isOpen && type === 'counter' ? name.replace(/_total$/, '') : name
  return { name: shown, help, type, get: async () => ({ name: shown, help, type, values: familyValues(tables) }) }
}

/** Values of one set of labels stand together (OpenMetrics 1.0, Interleaving). */
function familyValues([first, second]: Family['tables']): Value[] {
  return [...first.all()].flatMap((series) => {
    if (second === undefined) return valuesOf(first.definition, series)
    const { labels, value } = series
    return [
      { metricName: first.definition.name, labels, value },
      { metricName: second.definition.name, labels, value: second.of(labels).value },
    ]
  })
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
