// The metrics of one process: prom-client behind definitions from conventions, with a cap on the values of each label and both text
// formats. Unknown labels become '', values beyond a cap become OVERFLOW and are counted.
import type { MetricDefinition } from '@longpole/model/conventions/metrics'
import { METRICS } from '@longpole/model/conventions/metrics'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { createLabelLimit } from './label-limit.ts'

export type Labels = Readonly<Record<string, string | null | undefined>>

export interface MetricRegistry<Key extends string = string> {
  /** Adds to a counter (or gauge); by 1 where no value is given. */
  increment(key: Key, labels?: Labels, value?: number): void
  set(key: Key, labels: Labels, value: number): void
  /** An observation of a histogram, made as often as `times` says; the trace id becomes its exemplar. */
  observe(key: Key, labels: Labels, value: number, exemplarTraceId?: string, times?: number): void
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
}

type Metric = Counter<string> | Gauge<string> | Histogram<string>

interface Entry {
  definition: MetricDefinition
  metric: Metric
}

/** Exemplar labels and values are limited to 128 characters together (OpenMetrics 1.0, Exemplars). */
const TRACE_ID = /^[0-9a-f]{32}$/

export function createRegistry<Key extends string>(
  definitions: Readonly<Record<Key, MetricDefinition>>,
  { version, component, labelValues = 2_000 }: RegistrySettings,
): MetricRegistry<Key> {
  const classic = new Registry(Registry.PROMETHEUS_CONTENT_TYPE)
  const open = new Registry(Registry.OPENMETRICS_CONTENT_TYPE)
  const entries = new Map<string, Entry>()
  for (const [key, definition] of Object.entries(definitions) as [Key, MetricDefinition][]) {
    const metric = createMetric(definition)
    classic.registerMetric(metric)
    open.registerMetric(openMetricsView(definition, metric))
    entries.set(key, { definition, metric })
  }

  const byName = new Map([...entries.values()].map((entry) => [entry.definition.name, entry]))
  const overflowName = METRICS.seriesOverflowTotal.name
  const limit = createLabelLimit(labelValues, (metric, label) => {
    ;(byName.get(overflowName)?.metric as Counter<string> | undefined)?.inc({ metric, label })
  })

  function entryOf(key: string): Entry {
    const entry = entries.get(key)
    if (entry === undefined) throw new Error(`metric ${key} is not among the definitions of this registry`)
    return entry
  }

  const registry: MetricRegistry<Key> = {
    increment(key, labels = {}, value = 1) {
      const { definition, metric } = entryOf(key)
      ;(metric as Counter<string>).inc(limit.bound(definition, labels), value)
    },
    set(key, labels, value) {
      const { definition, metric } = entryOf(key)
      ;(metric as Gauge<string>).set(limit.bound(definition, labels), value)
    },
    observe(key, labels, value, exemplarTraceId, times = 1) {
      const { definition, metric } = entryOf(key)
      const exemplarLabels = exemplarTraceId !== undefined && TRACE_ID.test(exemplarTraceId) ? { trace_id: exemplarTraceId } : {}
      const observation = { labels: limit.bound(definition, labels), value, exemplarLabels }
      for (let made = 0; made < times; made++) (metric as Histogram<string>).observe(observation)
    },
    remove(key, labels) {
      const { definition, metric } = entryOf(key)
      metric.remove(limit.bound(definition, labels))
    },
    clear(key) {
      const { definition, metric } = entryOf(key)
      metric.reset()
      limit.forget(definition)
    },
    async render(openMetrics) {
      return (openMetrics ? open : classic).metrics()
    },
    contentType: (openMetrics) => (openMetrics ? open : classic).contentType,
  }
  publishBuild(registry as MetricRegistry, definitions, version, component)
  return registry
}

function createMetric(definition: MetricDefinition): Metric {
  const common = { name: definition.name, help: definition.help, labelNames: [...definition.labels], registers: [] }
  if (definition.type === 'counter') return new Counter(common)
  if (definition.type === 'gauge') return new Gauge(common)
  return new Histogram({ ...common, buckets: [...(definition.buckets ?? [])], enableExemplars: true })
}

/**
 * The same metric for the OpenMetrics page, which renames what it is given. A counter whose name does not end in `_total` cannot be
 * one there (OpenMetrics 1.0, Counter): it is written as `unknown`, so that both pages have the same names.
 */
function openMetricsView(definition: MetricDefinition, metric: Metric): Metric {
  const isPlain = definition.type === 'counter' && !definition.name.endsWith('_total')
  const type = isPlain ? 'unknown' : definition.type
  const name = definition.type === 'counter' ? definition.name.replace(/_total$/, '') : definition.name
  const read = metric as unknown as { get(): Promise<object>; getForPromString?: () => Promise<object> }
  const get = async () => ({ ...(await (read.getForPromString?.() ?? read.get())), name, type })
  return { name, help: definition.help, type, get } as unknown as Metric
}

/** `longpole_build_info` or the sidecar's own. */
function publishBuild(registry: MetricRegistry, definitions: object, version: string, component: string): void {
  if ('buildInfo' in definitions) registry.set('buildInfo', { version, component }, 1)
  if ('sidecarBuildInfo' in definitions) registry.set('sidecarBuildInfo', { version }, 1)
}
