// Stored spans become records: joined at once or, where they come too fast, put off and read back from the store. Each record goes to the
// store, the metrics, the live page and the OTLP endpoint.
import type { Clock } from '@longpole/model/clock'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Config } from '../../src/config/schema.ts'
import { adapterOf } from '../../src/engines/index.ts'
import { observeSpans, requestIdsOf } from '../../src/engines/observe.ts'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'
import type { RequestMetrics } from '../exporters/prometheus/request-metrics.ts'
import { type Correlator, createCorrelator, type SettledRequest } from '../processors/correlate/correlate.ts'
import type { Store, StoredSpan } from '../store/store.ts'
import type { LiveFeed } from './api/live.ts'
import type { ArrivalState } from './arrival-state.ts'
import { createBacklog } from './backlog.ts'
import { createRecordWriter, type RecordWriter } from './record-writer.ts'
import { recordsOfTraces } from './stored-records.ts'

export interface JoiningSettings {
  config: Pick<Config, 'settle' | 'limits'>
  clock: Clock
  store: Store
  registry: MetricRegistry<HubMetricKey>
  metrics: RequestMetrics
  live: LiveFeed
  arrivals: ArrivalState
  /** Of records whose spans do not name theirs. */
  cluster: string | null
  forward(request: SettledRequest): void
  /** Spans that were put off, or that a former hub left, are read back. */
  onReadBack(spans: readonly StoredSpan[]): void
  onTrouble(message: string): void
}

export interface Joining {
  correlator: Correlator
  /** Spans that are in the store now. */
  take(spans: readonly StoredSpan[]): void
  /** A row of a request that has no span yet, or will never have one. */
  write(record: RequestRecord): void
  /** So many records wait for the store that no more spans should be taken. */
  isBehind(): boolean
  begin(sinceUnixNano: bigint): void
  tick(): Promise<void>
  catchUp(): Promise<void>
  flush(): Promise<void>
  /** First receive times of what is not in a written record yet: open traces, records that wait, spans put off. */
  oldestUnixNanos(): (bigint | null)[]
}

/** For spans of open and recently closed traces: the 5 s until a request is written hold 75,000 of the usual ones. */
const CORRELATE_BYTES = 72_000_000
/** Beyond so many times that, spans are put off and read back from the store later. */
const FULL = 1.5

export function createJoining(settings: JoiningSettings): Joining {
  const { config, store, registry, onReadBack, onTrouble } = settings
  const writer = createRecordWriter({
    insert: (records) => store.insertRecords(records),
    remove: (recordIds) => store.deleteRecords(recordIds),
    maxWaiting: config.limits.unsettledRequests,
    onTrouble,
  })
  const correlator = openCorrelator(settings, writer)
  const backlog = createBacklog({
    spansSince: (unixNano, limit) => store.spansSince(unixNano, limit),
    add(spans) {
      correlator.add(spans)
      onReadBack(spans)
    },
    isFull: () => correlator.counts().bytes > CORRELATE_BYTES * FULL,
    hasRoom: () => correlator.counts().bytes < CORRELATE_BYTES,
  })
  let isReady = false
  let ticking: Promise<void> | null = null

  async function tick(): Promise<void> {
    if (!isReady) return
    ticking ??= correlator.tick().finally(() => {
      ticking = null
    })
    await ticking
    registry.set('unsettledRequests', {}, correlator.counts().unsettled)
    // Not waited for: a slow store must not keep requests from settling. It says its own trouble.
    void writer.flush()
  }

  return {
    correlator,
    take(spans) {
      backlog.take(spans)
      // Too many spans are held: what is oldest is written early.
      if (correlator.isOverBudget() && ticking === null) tick().catch((error: Error) => onTrouble(error.message))
    },
    write: writer.write,
    isBehind: writer.isFull,
    begin(sinceUnixNano) {
      backlog.begin(sinceUnixNano)
      isReady = true
    },
    tick,
    catchUp: () => (isReady ? backlog.catchUp() : Promise.resolve()),
    flush: writer.flush,
    oldestUnixNanos: () => [correlator.oldestUnsettledUnixNano(), writer.oldestUnixNano(), backlog.sinceUnixNano()],
  }
}

function openCorrelator(settings: JoiningSettings, writer: RecordWriter): Correlator {
  const { config, clock, store, registry, onTrouble } = settings
  return createCorrelator({
    clock,
    observe: observeSpans,
    requestIds: requestIdsOf,
    streamHeaders: (engine) => adapterOf(engine).response.streamHeaders,
    settle: (request) => settle(request, settings, writer),
    spansOfTraces: (traceIds, since) => store.spansOfTraces(traceIds, since),
    async recordsOfTraces(traceIds, since) {
      // Those that wait for the store are no less written.
      await writer.flush()
      return recordsOfTraces(store, traceIds, since)
    },
    onNegativeResidual: (phase) => registry.increment('negativeResidualsTotal', { phase }),
    onTrouble,
    ...config.settle,
    memoryBytes: CORRELATE_BYTES,
    maxTraces: config.limits.unsettledRequests,
  })
}

function settle(request: SettledRequest, settings: JoiningSettings, writer: RecordWriter): void {
  const { registry, metrics, live, arrivals, cluster, forward } = settings
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
