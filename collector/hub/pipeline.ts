// The way of everything that arrives, on one screen: receivers → redact → store (then the sender is acknowledged) → correlate → records →
// store, metrics, live page, OTLP endpoint. Beside it: requests in flight, engine samples, change events.

import type { ChangeEvent } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import { isPhaseId, phaseOrder } from '@longpole/model/phase'
import type { Span } from '@longpole/model/span'
import type { Config } from '../../src/config/schema.ts'
import { adapterOf } from '../../src/engines/index.ts'
import { observeSpans } from '../../src/engines/observe.ts'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'
import type { RequestMetrics } from '../exporters/prometheus/request-metrics.ts'
import type { Tenants } from '../extensions/tenant/tenant.ts'
import { recordId } from '../processors/correlate/assemble.ts'
import { type Correlator, createCorrelator, type SettledRequest } from '../processors/correlate/correlate.ts'
import { createOpenRequests } from '../processors/correlate/open-requests.ts'
import { createRedactor } from '../processors/redact/redact.ts'
import { type OtlpHandlers, taken, type Verdict } from '../receivers/otlp/verdict.ts'
import type { Store } from '../store/store.ts'
import type { LiveFeed } from './api/live.ts'
import { createArrivalState } from './arrival-state.ts'
import { createBacklog } from './backlog.ts'
import { createChangeDetector } from './change-events.ts'
import { createLedger } from './ledger.ts'
import { readOpenRequests } from './open-logs.ts'
import { createRecentSpans } from './recent-spans.ts'
import { createRecordWriter } from './record-writer.ts'
import { readSamples } from './samples.ts'
import { createSpanIntake } from './span-intake.ts'
import { recordsOfTrace } from './stored-records.ts'

export interface PipelineSettings {
  config: Config
  clock: Clock
  store: Store
  registry: MetricRegistry<HubMetricKey>
  metrics: RequestMetrics
  live: LiveFeed
  tenants: Tenants
  /** Takes each settled or amended request on to an OTLP endpoint. */
  forward(request: SettledRequest): void
  onTrouble(message: string): void
}

export interface Pipeline {
  handlers: OtlpHandlers
  correlator: Correlator
  /** Settling may begin: what a former hub wrote is known, and what it left unfinished is in the store from there on. Before, `tick` does nothing. */
  begin(sinceUnixNano: bigint): void
  /** Looks at what is due; to be called every 250 ms. */
  tick(): Promise<void>
  /** What is no longer heard of; every 5 s. */
  sweep(): Promise<void>
  /** Joins a piece of what was put off while spans came too fast; every 250 ms. */
  catchUp(): Promise<void>
  /** Record ids of open requests whose first token has come. */
  streaming(): string[]
  /** Every record that is finished is in the store, or could not be written now. */
  flush(): Promise<void>
  /** First receive time of whatever is not in a written record yet. */
  oldestUnixNano(): bigint | null
  /** The same of whatever is not in the store yet. */
  oldestUnstoredUnixNano(): bigint | null
}

const RETRY_SECONDS = 1
const JUDGE_MS = 1_000
/** Half of the growth that hostile input may cause (SECURITY.md), for spans of open and recently closed traces. */
const CORRELATE_BYTES = 64_000_000
/** Beyond so many times that, spans are put off and read back from the store later. */
const FULL = 1.5

export function createPipeline(settings: PipelineSettings): Pipeline {
  const { config, clock, store, registry, metrics, live, tenants, forward, onTrouble } = settings
  const cluster = config.cluster === '' ? null : config.cluster
  const ledger = createLedger(registry)
  const redactor = createRedactor({
    identify: (value) => tenants.identify(value),
    dimensions: config.dimensions,
    onDropped: (reason, count) => registry.increment('attributesDroppedTotal', { reason }, count),
  })
  const recent = createRecentSpans()
  const openRequests = createOpenRequests({ clock, maxRequests: config.limits.openRequests })
  const changes = createChangeDetector(clock)
  const arrivals = createArrivalState()
  const writer = createRecordWriter({
    insert: (records) => store.insertRecords(records),
    remove: (recordIds) => store.deleteRecords(recordIds),
    maxWaiting: config.limits.unsettledRequests,
    onTrouble,
  })
  const correlator = createCorrelator({
    clock,
    observe: observeSpans,
    streamHeaders: (engine) => adapterOf(engine).response.streamHeaders,
    settle,
    spansOfTrace: (traceId) => store.spansOfTrace(traceId),
    async recordsOfTrace(traceId) {
      // Those that wait for the store are no less written.
      await writer.flush()
      return recordsOfTrace(store, traceId)
    },
    onNegativeResidual: (phase) => registry.increment('negativeResidualsTotal', { phase }),
    onTrouble,
    ...config.settle,
    memoryBytes: CORRELATE_BYTES,
    maxTraces: config.limits.unsettledRequests,
  })
  const intake = createSpanIntake({
    insert: (spans) => store.insertSpans(spans),
    isKnown: recent.has,
    onStored(spans) {
      backlog.take(spans)
      for (const { span } of spans) {
        recent.add(span.traceId, span.spanId)
        openRequests.ended(span.traceId, span.spanId)
      }
      if (correlator.isOverBudget()) tickSoon()
    },
    unixNano: () => clock.unixNano(),
    ledger,
  })

  const backlog = createBacklog({
    spansSince: (unixNano, limit) => store.spansSince(unixNano, limit),
    add(spans) {
      correlator.add(spans)
      for (const { span } of spans) recent.add(span.traceId, span.spanId)
    },
    isFull: () => correlator.counts().bytes > CORRELATE_BYTES * FULL,
    hasRoom: () => correlator.counts().bytes < CORRELATE_BYTES,
  })
  let isReady = false
  let judgedMs = Number.NEGATIVE_INFINITY
  let isOpenStale = false
  let ticking: Promise<void> | null = null

  function settle(request: SettledRequest): void {
    const { record, event, superseded } = request
    record.cluster ??= cluster
    arrivals.fill(record)
    writer.write(record)
    if (superseded.length > 0) writer.remove(superseded.map(({ recordId }) => recordId))
    registry.increment('recordsTotal', { event })
    live.settled(record)
    forward(request)
    if (event !== 'settled') return
    metrics.settled(record)
    for (const vantage of record.joined) registry.increment('recordsJoinedTotal', { vantage })
  }

  async function takeTraces(spans: readonly Span[], malformed: number, truncated: number): Promise<Verdict> {
    ledger.received(spans.length + malformed)
    ledger.dropped('malformed', malformed)
    if (truncated > 0) registry.increment('attributesDroppedTotal', { reason: 'limit' }, truncated)
    if (writer.isFull()) {
      ledger.rejected('store_unavailable', spans.length)
      return retry('the store is behind')
    }
    try {
      await intake.take(spans.map(redactor.span))
    } catch (error) {
      onTrouble((error as Error).message)
      return retry('the store is not available')
    }
    return malformed === 0 ? taken() : taken(malformed, `${malformed} spans without a valid trace id, span id or time`)
  }

  async function takeEvents(events: readonly ChangeEvent[]): Promise<void> {
    if (events.length === 0) return
    metrics.events(events)
    await store.insertEvents(events)
  }

  return {
    correlator,
    streaming: () =>
      openRequests
        .list()
        .filter(({ phase }) => isPhaseId(phase) && phaseOrder(phase) >= phaseOrder('engine.decode'))
        .map(({ traceId, spanId }) => recordId(traceId, spanId)),
    handlers: {
      traces: ({ spans, malformed, truncated }) => takeTraces(spans, malformed, truncated),
      async logs({ records }) {
        const clean = records.map((record) => ({
          ...record,
          attributes: redactor.attributes(record.attributes),
          resource: redactor.resource(record.resource),
        }))
        const { open, ignored } = readOpenRequests(clean, cluster)
        for (const request of open) if (!recent.has(request.traceId, request.spanId)) openRequests.report(request)
        registry.increment('logRecordsTotal', { result: 'open_request' }, open.length)
        registry.increment('logRecordsTotal', { result: 'ignored' }, ignored)
        if (open.length > 0) openChanged()
        return taken()
      },
      async metrics(batch) {
        for (const resource of new Set(batch.metrics.map((metric) => metric.resource))) metrics.heard(resource)
        const { samples, ignored } = readSamples(batch.metrics, cluster)
        registry.increment('dataPointsTotal', { result: 'ignored' }, ignored + batch.unsupported)
        if (samples.length === 0) return taken()
        try {
          await store.insertSamples(samples)
        } catch (error) {
          onTrouble((error as Error).message)
          return retry('the store is not available')
        }
        registry.increment('dataPointsTotal', { result: 'sample' }, samples.length)
        for (const sample of samples) {
          metrics.sample(sample)
          arrivals.sample(sample)
        }
        await takeEvents(samples.flatMap((sample) => changes.sample(sample))).catch((error: Error) => onTrouble(error.message))
        return taken()
      },
    },
    tick: () => (isReady ? tick() : Promise.resolve()),
    begin(sinceUnixNano) {
      backlog.begin(sinceUnixNano)
      isReady = true
    },
    async sweep() {
      for (const record of openRequests.takeLost()) writer.write(record)
      judgeOpen()
      setOffsets()
      await takeEvents(changes.silent()).catch((error: Error) => onTrouble(error.message))
    },
    catchUp: () => (isReady ? backlog.catchUp() : Promise.resolve()),
    flush: () => writer.flush(),
    oldestUnstoredUnixNano: () => intake.oldestUnixNano(),
    oldestUnixNano: () =>
      least([correlator.oldestUnsettledUnixNano(), writer.oldestUnixNano(), intake.oldestUnixNano(), backlog.sinceUnixNano()]),
  }

  async function tick(): Promise<void> {
    ticking ??= correlator.tick().finally(() => {
      ticking = null
    })
    await ticking
    if (isOpenStale) openChanged()
    registry.set('unsettledRequests', {}, correlator.counts().unsettled)
    // Not waited for: a slow store must not keep requests from settling. It says its own trouble.
    void writer.flush()
  }

  /** At once where that was not done a moment ago: with many sidecars a report comes every few milliseconds. */
  function openChanged(): void {
    isOpenStale = true
    if (clock.monotonicMs() - judgedMs >= JUDGE_MS) judgeOpen()
  }

  /** Too many spans are held: what is oldest is written early. */
  function tickSoon(): void {
    if (isReady && ticking === null) tick().catch((error: Error) => onTrouble(error.message))
  }

  /** Requests in flight: bad from the moment their deadline passes, on the page, and as rows once they are old. */
  function judgeOpen(): void {
    judgedMs = clock.monotonicMs()
    isOpenStale = false
    const open = openRequests.list()
    live.open(open, metrics.open(open))
    for (const record of openRequests.takeUnwritten()) {
      correlator.restore(record.trace_id, { recordId: record.record_id, receivedUnixNano: record.received_unix_ns, version: 0 })
      writer.write(record)
    }
  }

  function setOffsets(): void {
    for (const { from, offsetSeconds } of correlator.offsets.list()) {
      registry.set('clockOffsetSeconds', { replica: from.split(' ')[1] ?? from }, -offsetSeconds)
    }
  }

  function retry(message: string): Verdict {
    return { kind: 'retry', cause: 'unavailable', afterSeconds: RETRY_SECONDS, message }
  }
}

function least(instants: readonly (bigint | null)[]): bigint | null {
  return instants.reduce<bigint | null>((best, next) => (next !== null && (best === null || next < best) ? next : best), null)
}
