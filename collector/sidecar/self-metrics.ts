// The sidecar about itself, in Prometheus text: counters from the shared memory, the overhead histogram from here.
import { createRequire } from 'node:module'
import { SIDECAR_METRICS as METRICS, type MetricDefinition } from '@longpole/model/conventions/metrics'
import { OUTCOMES } from '@longpole/model/request-record'
import type * as PromClient from 'prom-client'
import {
  OBSERVATION_DROP_REASONS,
  REPORT_DROP_REASONS,
  SCRAPE_RESULTS,
  type SharedCounters,
  SPAN_DROP_REASONS,
  SPAN_REJECT_REASONS,
} from './shared-counters.ts'

// The package's entry also loads its process metrics, which cost 7 MB; the parts that are used are loaded one by one.
const load = createRequire(import.meta.url)
const Registry: typeof PromClient.Registry = load('prom-client/lib/registry')
const Counter: typeof PromClient.Counter = load('prom-client/lib/counter')
const Gauge: typeof PromClient.Gauge = load('prom-client/lib/gauge')
const Histogram: typeof PromClient.Histogram = load('prom-client/lib/histogram')

export interface SelfMetrics {
  observeOverhead(seconds: number): void
  render(): Promise<string>
}

export interface SelfMetricsSettings {
  version: string
  counters: SharedCounters
  /** Age of the oldest span that is not exported. */
  oldestMs(): number
}

export function createSelfMetrics({ version, counters, oldestMs }: SelfMetricsSettings): SelfMetrics {
  const registry = new Registry()
  const registers = [registry]
  const shape = ({ name, help }: MetricDefinition) => ({ name, help, registers })

  function counter<Value extends string>(
    definition: MetricDefinition,
    label: string,
    values: readonly Value[],
    read: (value: Value) => number,
  ) {
    const metric: PromClient.Counter<string> = new Counter<string>({
      ...shape(definition),
      labelNames: label === '' ? [] : [label],
      collect() {
        metric.reset()
        for (const value of values) metric.inc(label === '' ? {} : { [label]: value }, read(value))
      },
    })
  }
  function gauge(definition: MetricDefinition, read: () => number) {
    const metric: PromClient.Gauge = new Gauge({ ...shape(definition), collect: () => metric.set(read()) })
  }

  counter(
    METRICS.sidecarRequestsTotal,
    'outcome',
    OUTCOMES.filter((outcome) => outcome !== 'open'),
    (outcome) => counters.get(`outcome:${outcome}`),
  )
  counter(METRICS.sidecarSpansReceivedTotal, '', [''], () => counters.get('spansReceived'))
  counter(METRICS.sidecarSpansExportedTotal, '', [''], () => counters.get('spansExported'))
  counter(METRICS.sidecarSpansDroppedTotal, 'reason', SPAN_DROP_REASONS, (reason) => counters.get(`spansDropped:${reason}`))
  counter(METRICS.sidecarSpansRejectedTotal, 'reason', SPAN_REJECT_REASONS, (reason) => counters.get(`spansRejected:${reason}`))
  counter(METRICS.sidecarObservationsDroppedTotal, 'reason', OBSERVATION_DROP_REASONS, (reason) =>
    counters.get(`observationsDropped:${reason}`),
  )
  counter(METRICS.sidecarOpenReportsDroppedTotal, 'reason', REPORT_DROP_REASONS, (reason) => counters.get(`openReportsDropped:${reason}`))
  counter(METRICS.sidecarSamplesDroppedTotal, 'reason', REPORT_DROP_REASONS, (reason) => counters.get(`samplesDropped:${reason}`))
  counter(METRICS.sidecarScrapesTotal, 'result', SCRAPE_RESULTS, (result) => counters.get(`scrapes:${result}`))
  gauge(METRICS.sidecarRequestsOpen, () => counters.get('requestsOpen'))
  gauge(METRICS.sidecarSpansInFlight, () => counters.spansInFlight())
  gauge(METRICS.sidecarExportOldestSeconds, () => oldestMs() / 1000)
  // The page of a sidecar whose worker is away is written by the other thread, see admin.ts.
  gauge(METRICS.sidecarBypass, () => 0)
  new Gauge({ ...shape(METRICS.sidecarBuildInfo), labelNames: ['version'] }).set({ version }, 1)
  const overhead = new Histogram({ ...shape(METRICS.sidecarOverheadSeconds), buckets: [...METRICS.sidecarOverheadSeconds.buckets] })

  return { observeOverhead: (seconds) => overhead.observe(seconds), render: () => registry.metrics() }
}
