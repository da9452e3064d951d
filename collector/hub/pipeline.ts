// The way of everything that arrives, on one screen: receivers → redact → store (then the sender is acknowledged) → correlate → records →
// store, metrics, live page, OTLP endpoint. Beside it: requests in flight, engine samples, change events.

import type { Clock } from '@longpole/model/clock'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { Config } from '../../src/config/schema.ts'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'
import type { RequestMetrics } from '../exporters/prometheus/request-metrics.ts'
import type { Tenants } from '../extensions/tenant/tenant.ts'
import type { Correlator, SettledRequest } from '../processors/correlate/correlate.ts'
import { createRedactor } from '../processors/redact/redact.ts'
import type { OtlpHandlers } from '../receivers/otlp/verdict.ts'
import type { Store } from '../store/store.ts'
import type { LiveFeed } from './api/live.ts'
import { createArrivalState } from './arrival-state.ts'
import { createJoining, type Joining } from './joining.ts'
import { createLedger } from './ledger.ts'
import { createOpenRequestIntake } from './open-request-intake.ts'
import { createRecentSpans } from './recent-spans.ts'
import { createSampleIntake } from './sample-intake.ts'
import { createSpanIntake } from './span-intake.ts'
import { createTraceIntake } from './trace-intake.ts'

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
  /** Settling may begin: what a former hub wrote is known, and what it left unfinished is in the store from there on. Before, `tick` settles nothing. */
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

export function createPipeline(settings: PipelineSettings): Pipeline {
  const { config, clock, store, registry, tenants } = settings
  const shared = { ...settings, cluster: config.cluster === '' ? null : config.cluster, arrivals: createArrivalState() }
  const ledger = createLedger(registry)
  const redactor = createRedactor({
    identify: (value) => tenants.identify(value),
    dimensions: config.dimensions,
    onDropped: (reason, count) => registry.increment('attributesDroppedTotal', { reason }, count),
  })
  const recent = createRecentSpans()
  const joining = createJoining({
    ...shared,
    onReadBack(spans) {
      for (const { span } of spans) recent.add(span.traceId, span.spanId)
    },
  })
  const open = createOpenRequestIntake({
    ...shared,
    maxRequests: config.limits.openRequests,
    redactor,
    hasEnded: recent.has,
    onOld(record) {
      joining.correlator.restore(record.trace_id, { recordId: record.record_id, receivedUnixNano: record.received_unix_ns, version: 0 })
      joining.write(record)
    },
    onLost: joining.write,
  })
  const intake = createSpanIntake({
    insert: (spans) => store.insertSpans(spans),
    isKnown: recent.has,
    onStored(spans) {
      for (const { span } of spans) {
        recent.add(span.traceId, span.spanId)
        open.ended(span.traceId, span.spanId)
      }
      joining.take(spans)
    },
    unixNano: () => clock.unixNano(),
    ledger,
  })
  const samples = createSampleIntake(shared)

  return {
    handlers: {
      traces: createTraceIntake({ ...shared, ledger, redactor, intake, isBehind: joining.isBehind }),
      logs: open.take,
      metrics: samples.take,
    },
    correlator: joining.correlator,
    begin: joining.begin,
    async tick() {
      await joining.tick()
      open.tick()
    },
    async sweep() {
      open.sweep()
      setOffsets(joining, registry)
      await samples.sweep()
    },
    catchUp: joining.catchUp,
    streaming: open.streaming,
    flush: joining.flush,
    oldestUnixNano: () => least([...joining.oldestUnixNanos(), intake.oldestUnixNano()]),
    oldestUnstoredUnixNano: intake.oldestUnixNano,
  }
}

function setOffsets({ correlator }: Joining, registry: PipelineSettings['registry']): void {
  for (const { from, offsetSeconds } of correlator.offsets.list()) {
    registry.set('clockOffsetSeconds', { replica: from.split(' ')[1] ?? from }, -offsetSeconds)
  }
}

function least(instants: readonly (bigint | null)[]): bigint | null {
  return instants.reduce<bigint | null>((best, next) => (next !== null && (best === null || next < best) ? next : best), null)
}
