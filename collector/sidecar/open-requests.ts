// Requests in flight → OTLP log records, as README.md tells: a fleet that hangs must look ill, not quiet.
import { Events, Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import type { LogRecord } from '../../src/wire/otlp/signals.ts'
import type { OpenExchange } from '../receivers/proxy/observation.ts'
import { commonAttributes, type SpanOrigin, stampAttributes } from './spans.ts'

const INFO = 9

/** The phase that an open request is in, as far as it can be told from here. */
export function openPhase({ at, fields }: Pick<OpenExchange, 'at' | 'fields'>): string {
  if (at.received === null) return 'client.upload'
  if (at.sent === null) return 'sidecar'
  if (at.firstToken !== null) return 'engine.decode'
  return fields.stream === true ? 'engine.queue' : 'unattributed'
}

export function toLogRecord(exchange: OpenExchange, origin: SpanOrigin): LogRecord {
  const observedUnixNano = exchange.startUnixNano + BigInt(Math.round(exchange.ageMs * 1e6))
  return {
    timeUnixNano: observedUnixNano,
    observedUnixNano,
    severityNumber: INFO,
    eventName: Events.requestOpen,
    body: null,
    traceId: exchange.traceId,
    spanId: exchange.spanId,
    attributes: {
      ...commonAttributes(exchange, origin),
      ...stampAttributes(exchange.at),
      ...(exchange.at.received === null ? {} : { [Longpole.requestBytes]: exchange.requestBytes }),
      [Events.openAge]: exchange.ageMs / 1000,
      [Events.openPhase]: openPhase(exchange),
      [Events.openStart]: exchange.startUnixNano.toString(),
    },
    resource: origin.resource,
    scopeName: ScopeName.sidecar,
    scopeVersion: origin.version,
  }
}
