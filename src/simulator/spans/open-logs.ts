// Requests in flight as our sidecars report them: OTLP log records (JSON form) with age and the phase as far as a sidecar can tell.
import { Events, GenAi, Longpole, Otel } from '@longpole/model/conventions/attributes'
import type { SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import { idsOf } from './request-ids.ts'
import type { Senders } from './senders.ts'
import type { SpanAttributes } from './span.ts'

/** Younger ones are not worth a record. */
const LEAST_AGE_SECONDS = 2
/** The oldest so many of a sidecar. */
const LIMIT = 1_000

interface OpenLog {
  engine: Engine
  record: Record<string, unknown>
  age: number
}

/** An ExportLogsServiceRequest as an object, or null when nothing is open long enough. */
export function openRequestLogs(
  requests: Iterable<SimRequest>,
  now: number,
  seed: number,
  senders: Senders,
  instant: (seconds: number) => bigint,
): object | null {
  const byEngine = new Map<Engine, OpenLog[]>()
  for (const request of requests) {
    const log = openLog(request, now, seed, instant)
    if (log === null) continue
    const logs = byEngine.get(log.engine)
    if (logs === undefined) byEngine.set(log.engine, [log])
    else logs.push(log)
  }
  if (byEngine.size === 0) return null
  return {
    resourceLogs: [...byEngine].map(([engine, logs]) => ({
      resource: { attributes: toKeyValues(senders.sidecar(engine).resource) },
      scopeLogs: [
        {
          scope: senders.sidecar(engine).scope,
          logRecords: logs
            .sort((a, b) => b.age - a.age)
            .slice(0, LIMIT)
            .map(({ record }) => record),
        },
      ],
    })),
  }
}

function openLog(request: SimRequest, now: number, seed: number, instant: (seconds: number) => bigint): OpenLog | null {
  const engine = request.engine
  const received = request.attemptAt + request.last.connect + request.last.upload
  const age = now - received
  // What began before second 0 only fills the fleet: nothing of it is ever sent.
  if (engine === null || age < LEAST_AGE_SECONDS || request.startedAt < 0) return null
  const ids = idsOf(request, seed)
  const streaming = !Number.isNaN(request.firstTokenAt)
  const attributes: SpanAttributes = {
    [Longpole.requestId]: ids.requestId,
    [GenAi.requestModel]: request.model.name,
    [Otel.urlPath]: request.route,
    [Events.openAge]: age,
    [Events.openStart]: String(instant(received)),
    [Events.openPhase]: streaming ? 'engine.decode' : 'engine.queue',
  }
  const record = {
    timeUnixNano: String(instant(now)),
    observedTimeUnixNano: String(instant(now)),
    eventName: Events.requestOpen,
    traceId: ids.traceId,
    spanId: ids.sidecarSpan(request.attempts - 1),
    attributes: toKeyValues(attributes),
  }
  return { engine, record, age }
}

/** OTLP/JSON attributes. */
export function toKeyValues(attributes: SpanAttributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toAnyValue(value) }))
}

function toAnyValue(value: SpanAttributes[string]): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  return { arrayValue: { values: value.map((entry) => ({ stringValue: entry })) } }
}
