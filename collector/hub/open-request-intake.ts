// One body of log records on its way: requests in flight, judged as they are reported. They are bad from the moment their deadline passes,
// on the live page, and rows once they are old.
import type { Clock } from '@longpole/model/clock'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import { isPhaseId, phaseOrder } from '@longpole/model/phase'
import type { RequestRecord } from '@longpole/model/request-record'
import type { DecodedLogs } from '../../src/wire/otlp/decode-logs.ts'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'
import type { RequestMetrics } from '../exporters/prometheus/request-metrics.ts'
import { recordId } from '../processors/correlate/assemble.ts'
import { createOpenRequests } from '../processors/correlate/open-requests.ts'
import type { Redactor } from '../processors/redact/redact.ts'
import { taken, type Verdict } from '../receivers/otlp/verdict.ts'
import type { LiveFeed } from './api/live.ts'
import { readOpenRequests } from './open-logs.ts'

export interface OpenRequestIntakeSettings {
  clock: Clock
  maxRequests: number
  redactor: Redactor
  registry: Pick<MetricRegistry<HubMetricKey>, 'increment'>
  metrics: RequestMetrics
  live: LiveFeed
  /** Of reports that do not name theirs. */
  cluster: string | null
  /** Whether the request's span is in the store: it has ended. */
  hasEnded(traceId: string, spanId: string): boolean
  /** A row that says that the request is open. */
  onOld(record: RequestRecord): void
  /** A row of one that nobody speaks of any more. */
  onLost(record: RequestRecord): void
}

export interface OpenRequestIntake {
  take(batch: DecodedLogs): Promise<Verdict>
  ended(traceId: string, spanId: string): void
  /** Judges what was reported since it was judged; several times a second. */
  tick(): void
  /** Lets go of what nobody speaks of any more, and judges the rest by its age; every few seconds. */
  sweep(): void
  /** Record ids of those whose first token has come. */
  streaming(): string[]
}

const JUDGE_MS = 1_000

export function createOpenRequestIntake(settings: OpenRequestIntakeSettings): OpenRequestIntake {
  const { clock, maxRequests, redactor, registry, metrics, live, cluster, hasEnded, onOld, onLost } = settings
  const requests = createOpenRequests({ clock, maxRequests })
  let judgedMs = Number.NEGATIVE_INFINITY
  let isStale = false

  /** At once where that was not done a moment ago: with many sidecars a report comes every few milliseconds. */
  function changed(): void {
    isStale = true
    if (clock.monotonicMs() - judgedMs >= JUDGE_MS) judge()
  }

  function judge(): void {
    judgedMs = clock.monotonicMs()
    isStale = false
    const open = requests.list()
    live.open(open, metrics.open(open))
    for (const record of requests.takeUnwritten()) onOld(record)
  }

  return {
    async take({ records }) {
      const clean = records.map((record) => ({
        ...record,
        attributes: redactor.attributes(record.attributes),
        resource: redactor.resource(record.resource),
      }))
      const { open, ignored } = readOpenRequests(clean, cluster)
      for (const request of open) if (!hasEnded(request.traceId, request.spanId)) requests.report(request)
      registry.increment('logRecordsTotal', { result: 'open_request' }, open.length)
      registry.increment('logRecordsTotal', { result: 'ignored' }, ignored)
      if (open.length > 0) changed()
      return taken()
    },
    ended: requests.ended,
    tick() {
      if (isStale) changed()
    },
    sweep() {
      for (const record of requests.takeLost()) onLost(record)
      judge()
    },
    streaming: () =>
      requests
        .list()
        .filter(({ phase }) => isPhaseId(phase) && phaseOrder(phase) >= phaseOrder('engine.decode'))
        .map(({ traceId, spanId }) => recordId(traceId, spanId)),
  }
}
