// The telemetry plane on one screen: finished requests become spans, open ones log records, pages samples, the engine's spans pass
// through; all of it leaves through bounded exporters. Lives in the worker; owns nothing that a proxied byte could wait for.
import { randomBytes } from 'node:crypto'
import type { Clock } from '@longpole/model/clock'
import { createSampler } from '../../src/engines/sampler.ts'
import { encodeLogs, encodeMetrics } from '../../src/wire/otlp/encode.ts'
import { createExporter, type ExportAccount, type Exporter } from '../exporters/otlp/exporter.ts'
import type { OtlpBody } from '../exporters/otlp/post.ts'
import type { FinishedRequest, OpenExchange } from '../receivers/proxy/observation.ts'
import { createIdSource } from '../receivers/proxy/trace-context.ts'
import { type ScrapeResult, startScraper } from '../receivers/scrape/scrape.ts'
import { toLogRecord } from './open-requests.ts'
import { createResource } from './resource.ts'
import { readResponse } from './response-details.ts'
import { toMetric } from './samples.ts'
import { createSelfMetrics } from './self-metrics.ts'
import type { SidecarSettings } from './settings.ts'
import type { SharedCounters } from './shared-counters.ts'
import { compressed, createSpanBatch } from './span-batch.ts'
import { isTraced, judge, requestWayMs, type SpanOrigin, toSpans } from './spans.ts'

export interface TelemetryPipeline {
  finished(request: FinishedRequest): void
  /** All or some of the requests in flight. */
  open(exchanges: readonly OpenExchange[]): void
  /** A body of the engine's own spans. */
  engineSpans(body: OtlpBody, spans: number): void
  isNearlyFull(): boolean
  metricsPage(): Promise<string>
  /** Sends what is there; true when nothing is left within `limitMs`. */
  flush(limitMs: number): Promise<boolean>
  close(): void
}

const MEGABYTE = 1024 * 1024
const NEARLY_FULL = 0.8

/** `instance` names this start of the sidecar: it is the same for every worker of one process. */
export function createTelemetryPipeline(
  settings: SidecarSettings,
  counters: SharedCounters,
  clock: Clock,
  instance: string,
): TelemetryPipeline {
  const { identity, upstream } = settings
  const { hostname, port, protocol } = new URL(upstream)
  const origin: SpanOrigin = {
    resource: createResource(settings, instance),
    version: settings.version,
    serverAddress: hostname.replace(/^\[|\]$/g, ''),
    serverPort: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    newSpanId: createIdSource(randomBytes).newSpanId,
  }
  const spanAccount: ExportAccount = {
    exported: (spans) => counters.add('spansExported', spans),
    dropped: (spans, reason) => counters.add(`spansDropped:${reason}`, spans),
    rejected: (spans, reason) => counters.add(`spansRejected:${reason}`, spans),
  }
  // Reports of open requests and samples are stale within seconds: short queues, and only what is lost is counted.
  const lossAccount = (what: 'openReportsDropped' | 'samplesDropped'): ExportAccount => ({
    exported() {},
    dropped: (items, reason) => counters.add(`${what}:${reason}`, items),
    rejected() {},
  })
  const exporter = (path: string, megabytes: number, items: number, account: ExportAccount): Exporter =>
    createExporter({
      url: new URL(path, ensureSlash(settings.hub)),
      headers: settings.hubToken === null ? {} : { authorization: `Bearer ${settings.hubToken}` },
      maxQueueBytes: megabytes * MEGABYTE,
      maxQueueItems: items,
      clock,
      random: Math.random,
      account,
    })
  const traces = exporter('v1/traces', 32, 200_000, spanAccount)
  const logs = exporter('v1/logs', 2, 5_000, lossAccount('openReportsDropped'))
  const metrics = exporter('v1/metrics', 2, 5_000, lossAccount('samplesDropped'))
  const batch = createSpanBatch((body, spans) => traces.enqueue(body, spans))
  const selfMetrics = createSelfMetrics({ version: settings.version, counters, oldestMs: () => traces.inFlight().oldestMs })

  const sampler = createSampler({ ...identity, rank: null })
  function scraped(result: ScrapeResult, unixNano: bigint): void {
    counters.add(`scrapes:${result.kind === 'page' ? 'ok' : result.reason}`)
    const samples = result.kind === 'page' ? sampler.sample(result.text, unixNano) : sampler.down(unixNano)
    metrics.enqueue(compressed(encodeMetrics([toMetric(samples, origin)])), samples.length)
  }
  const scraper =
    settings.scrapeUrl === null
      ? null
      : startScraper({ url: new URL(settings.scrapeUrl), intervalMs: settings.scrapeIntervalMs, clock, onResult: scraped })

  return {
    finished(request) {
      const details = readResponse(request)
      const judgement = judge(request, details.streamError)
      counters.add(`outcome:${judgement.outcome}`)
      const wayIn = requestWayMs(request.at)
      if (wayIn !== null) selfMetrics.observeOverhead((wayIn + (request.returnMs ?? 0)) / 1000)
      if (!isTraced(request)) return
      const spans = toSpans(request, details, judgement, origin)
      counters.add('spansReceived', spans.length)
      batch.add(spans)
    },
    open(exchanges) {
      const records = exchanges.filter(isTraced).map((exchange) => toLogRecord(exchange, origin))
      if (records.length > 0) logs.enqueue(compressed(encodeLogs(records)), records.length)
    },
    engineSpans(body, spans) {
      counters.add('spansReceived', spans)
      traces.enqueue(body, spans)
    },
    isNearlyFull: () => traces.fullness() > NEARLY_FULL,
    metricsPage: () => selfMetrics.render(),
    async flush(limitMs) {
      batch.flush()
      const [all] = await Promise.all([
        traces.flush(limitMs),
        logs.flush(Math.min(limitMs, 1_000)),
        metrics.flush(Math.min(limitMs, 1_000)),
      ])
      return all
    },
    close() {
      scraper?.stop()
      batch.flush()
      for (const each of [traces, logs, metrics]) each.close()
    },
  }
}

function ensureSlash(base: string): string {
  return base.endsWith('/') ? base : `${base}/`
}
