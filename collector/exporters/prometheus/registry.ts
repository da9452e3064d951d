// The metrics of one process, from the definitions of conventions: counters, gauges and histograms with a cap on the values of each
// label, written in both text formats. Unknown labels become '', values beyond a cap become OVERFLOW and are counted.
import { METRICS, type MetricDefinition } from '@longpole/model/conventions/metrics'
import { Registry } from 'prom-client'
import { createLabelLimit } from './label-limit.ts'
import { createPage } from './page.ts'
import { bucketIndex, createSeriesTable, type Labels, type Series, type SeriesTable } from './series.ts'

export type { Labels } from './series.ts'

/** One series, found already. What is taken away (`remove`, `clear`) must not be held by one: for counters and histograms. */
export interface Handle {
  increment(value?: number): void
  observe(value: number, exemplarTraceId?: string, times?: number): void
}

/** A value that is no number, and a negative one for a counter, is left out: a single NaN would spoil a sum for ever. */
export interface MetricRegistry<Key extends string = string> {
  /** Adds to a counter (or gauge); by 1 where no value is given. */
  increment(key: Key, labels?: Labels, value?: number): void
  set(key: Key, labels: Labels, value: number): void
  /** An observation of a histogram, or `times` equal ones; the trace id becomes its exemplar. */
  observe(key: Key, labels: Labels, value: number, exemplarTraceId?: string, times?: number): void
  /** For who counts on the same series again and again; the series is made at its first use. */
  handle(key: Key, labels: Labels): Handle
  /** Takes a series away, for gauges of things that are gone. */
  remove(key: Key, labels: Labels): void
  /** All series of one metric, for gauges that are written whole. */
  clear(key: Key): void
  /** The page, in OpenMetrics 1.0 (exemplars) or Prometheus text 0.0.4. */
  render(openMetrics: boolean): Promise<string>
  contentType(openMetrics: boolean): string
}

export interface RegistrySettings {
  version: string
  component: string
  /** Values of a label that conventions/labels gives no cap. */
  labelValues?: number
  /** Time of exemplars. */
  unixSeconds?: () => number
}

export function createRegistry<Key extends string>(
  definitions: Readonly<Record<Key, MetricDefinition>>,
  { version, component, labelValues = 2_000, unixSeconds = () => Date.now() / 1_000 }: RegistrySettings,
): MetricRegistry<Key> {
  const tables = new Map<string, SeriesTable>()
  const limit = createLabelLimit(labelValues, (metric, label) => {
    const overflow = overflowOf(tables)
    if (overflow !== undefined) overflow.of({ metric, label }).value++
  })
  for (const [key, definition] of Object.entries(definitions) as [Key, MetricDefinition][]) {
    tables.set(
      key,
      createSeriesTable(definition, (labels) => limit.bound(definition, labels)),
    )
  }
  const classic = createPage(Registry.PROMETHEUS_CONTENT_TYPE, tables.values())
  const open = createPage(Registry.OPENMETRICS_CONTENT_TYPE, tables.values())

  function tableOf(key: string): SeriesTable {
    const table = tables.get(key)
    if (table === undefined) throw new Error(`metric ${key} is not among the definitions of this registry`)
    return table
  }

  const registry: MetricRegistry<Key> = {
    increment(key, labels = {}, value = 1) {
      const table = tableOf(key)
      if (Number.isFinite(value) && (value >= 0 || table.definition.type === 'gauge')) table.of(labels).value += value
    },
    set(key, labels, value) {
      const table = tableOf(key)
      if (Number.isFinite(value)) table.of(labels).value = value
    },
    observe(key, labels, value, exemplarTraceId, times = 1) {
      const table = tableOf(key)
      if (Number.isFinite(value)) observeOn(table.of(labels), table.definition, value, times, exemplarTraceId, unixSeconds)
    },
    handle(key, labels) {
      const table = tableOf(key)
      return new SeriesHandle(table, labels, () => limit.isWithin(table.definition, labels), unixSeconds)
    },
    remove: (key, labels) => tableOf(key).remove(labels),
    clear(key) {
      const table = tableOf(key)
      table.clear()
      limit.forget(table.definition)
    },
    render: (openMetrics) => (openMetrics ? open : classic).metrics(),
    contentType: (openMetrics) => (openMetrics ? open : classic).contentType,
  }
  publishBuild(registry as MetricRegistry, definitions, version, component)
  return registry
}

class SeriesHandle implements Handle {
  private readonly table: SeriesTable
  private readonly labels: Labels
  private readonly isWithin: () => boolean
  private readonly unixSeconds: () => number
  private series: Series | null = null

  constructor(table: SeriesTable, labels: Labels, isWithin: () => boolean, unixSeconds: () => number) {
    this.table = table
    this.labels = labels
    this.isWithin = isWithin
    this.unixSeconds = unixSeconds
  }

  increment(value = 1): void {
    if (Number.isFinite(value) && value >= 0) this.find().value += value
  }

  observe(value: number, exemplarTraceId?: string, times = 1): void {
    if (Number.isFinite(value)) observeOn(this.find(), this.table.definition, value, times, exemplarTraceId, this.unixSeconds)
  }

  /** One beyond a cap is not kept: the table counts each observation that had to go there. */
  private find(): Series {
    if (this.series !== null) return this.series
    const found = this.table.of(this.labels)
    if (this.isWithin()) this.series = found
    return found
  }
}

function observeOn(
  series: Series,
  { buckets = [] }: MetricDefinition,
  value: number,
  times: number,
  exemplarTraceId: string | undefined,
  unixSeconds: () => number,
): void {
  const index = bucketIndex(buckets, value)
  const counts = series.counts as Float64Array
  counts[index] = (counts[index] as number) + times
  series.sum += value * times
  if (exemplarTraceId === undefined || series.exemplars === null) return
  const known = series.exemplars[index]
  if (known === undefined) series.exemplars[index] = { traceId: exemplarTraceId, value, unixSeconds: unixSeconds() }
  else {
    known.traceId = exemplarTraceId
    known.value = value
    known.unixSeconds = unixSeconds()
  }
}

function overflowOf(tables: ReadonlyMap<string, SeriesTable>): SeriesTable | undefined {
  for (const table of tables.values()) if (table.definition.name === METRICS.seriesOverflowTotal.name) return table
  return undefined
}

/** `longpole_build_info` or the sidecar's own. */
function publishBuild(registry: MetricRegistry, definitions: object, version: string, component: string): void {
  if ('buildInfo' in definitions) registry.set('buildInfo', { version, component }, 1)
  if ('sidecarBuildInfo' in definitions) registry.set('sidecarBuildInfo', { version }, 1)
}
