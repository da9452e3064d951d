// Writes phases as child spans, when an exchange is over and all its stamps are known.
import { Longpole, SpanName } from '@longpole/model/conventions/attributes'
import type { MeasuredPhaseId } from '@longpole/model/phase'
import { type Attributes, type Context, SpanKind, type Tracer } from '@opentelemetry/api'
import { type Anchor, toHrTime } from './anchored-clock.ts'
import type { ExchangeResult } from './exchange.ts'
import { connectParts } from './socket-times.ts'

export interface PhaseWriter {
  tracer: Tracer
  anchor: Anchor
  parent: Context
}

export function writePhase(
  writer: PhaseWriter,
  phase: MeasuredPhaseId,
  startMs: number,
  endMs: number,
  source: string,
  more?: Attributes,
): void {
  const attributes: Attributes = {
    [Longpole.role]: 'phase',
    [Longpole.phase]: phase,
    [Longpole.source]: source,
    [Longpole.exactness]: 'measured',
    ...more,
  }
  writeSpan(writer, phase, startMs, endMs, attributes)
}

/** `client.connect`, `client.upload` and the wait for the first token, as far as they were seen. */
export function writeTransportPhases(writer: PhaseWriter, result: ExchangeResult): void {
  const { connection, timing } = result
  const sentMs = result.sentMs === undefined ? undefined : Math.min(result.sentMs, result.headersMs ?? result.endMs)
  if (connection !== undefined) {
    const startMs = result.dispatchedMs ?? result.startMs
    const usableMs = Math.min(Math.max(startMs, connection.usableMs), result.endMs)
    writePhase(writer, 'client.connect', startMs, usableMs, 'undici connection', partAttributes(connection, startMs))
    if (sentMs !== undefined) writePhase(writer, 'client.upload', usableMs, Math.max(usableMs, sentMs), 'undici bodySent')
  }
  // Nothing was ever sent: all of it went into getting a connection.
  if (connection === undefined && result.dispatchedMs !== undefined && result.status === undefined) {
    writePhase(writer, 'client.connect', result.dispatchedMs, result.endMs, 'undici connection')
  }
  if (timing?.firstTokenMs === undefined) return
  const fromMs = Math.min(sentMs ?? result.startMs, timing.firstTokenMs)
  writeSpan(writer, SpanName.firstTokenWait, fromMs, timing.firstTokenMs, { [Longpole.role]: 'wait' })
}

function partAttributes(connection: NonNullable<ExchangeResult['connection']>, startMs: number): Attributes {
  const attributes: Attributes = {}
  if (connection.reused || connection.times === undefined) return attributes
  const parts = connectParts(connection.times, startMs)
  if (parts.dns !== undefined) attributes[Longpole.partDns] = parts.dns
  if (parts.tcp !== undefined) attributes[Longpole.partTcp] = parts.tcp
  if (parts.tls !== undefined) attributes[Longpole.partTls] = parts.tls
  return attributes
}

function writeSpan(writer: PhaseWriter, name: string, startMs: number, endMs: number, attributes: Attributes): void {
  const { tracer, anchor, parent } = writer
  tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime: toHrTime(anchor, startMs), attributes }, parent).end(toHrTime(anchor, endMs))
}
