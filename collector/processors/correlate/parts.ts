// The parts of one request against the traces they came from: when they arrived, which records were written of them before, and which
// spans go on with them.
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import { recordId } from './assemble.ts'
import { joinRequests } from './join.ts'
import { parentsOf, type ReceivedSpan, type Trace, type WrittenRecord } from './trace.ts'

const NONE: WrittenRecord[] = []

function traceOf(traceId: string, traces: readonly Trace[]): Trace | undefined {
  for (const trace of traces) if (trace.traceId === traceId) return trace
  return undefined
}

/** Unix nanoseconds at which the last span of an observation came. */
export function arrivalOf({ traceId, spanIds }: Observation, traces: readonly Trace[]): bigint {
  const trace = traceOf(traceId, traces)
  let latest = 0n
  for (const spanId of spanIds) {
    const at = trace?.find(spanId)?.receivedUnixNano
    if (at !== undefined && at > latest) latest = at
  }
  return latest
}

export function latestArrival(observations: readonly Observation[], traces: readonly Trace[]): bigint {
  let latest = 0n
  for (const observation of observations) {
    const at = arrivalOf(observation, traces)
    if (at > latest) latest = at
  }
  return latest
}

export function earliestArrival(observations: readonly Observation[], traces: readonly Trace[]): bigint {
  let first: bigint | null = null
  for (const { traceId, spanIds } of observations) {
    const trace = traceOf(traceId, traces)
    for (const spanId of spanIds) {
      const at = trace?.find(spanId)?.receivedUnixNano
      if (at !== undefined && (first === null || at < first)) first = at
    }
  }
  return first ?? 0n
}

/** Records written of these observations before, by first receive time: the first of them is the one that is amended. */
export function findWritten(observations: readonly Observation[], traces: readonly Trace[]): WrittenRecord[] {
  if (traces.every(({ written }) => written.length === 0)) return NONE
  const ids = new Set(observations.flatMap((entry) => entry.spanIds.map((spanId) => recordId(entry.traceId, spanId))))
  return traces
    .flatMap((trace) => trace.written)
    .filter((written) => ids.has(written.recordId))
    .sort((left, right) => (left.receivedUnixNano < right.receivedUnixNano ? -1 : left.receivedUnixNano > right.receivedUnixNano ? 1 : 0))
}

/** Whether all that is held of the trace is in written records. After a restart most come back whole: then nothing need be read. */
export function isAsWritten(trace: Trace, observations: readonly Observation[]): boolean {
  return joinRequests(observations, () => parentsOf([trace])).every((parts) => {
    const spans = new Set(parts.observations.flatMap((entry) => entry.spanIds.map((spanId) => recordId(entry.traceId, spanId))))
    return trace.written.some((written) => written.version === spans.size && spans.has(written.recordId))
  })
}

/** The record stands with the trace of its name from now on, in place of those that became part of it. */
export function remember(written: WrittenRecord, superseded: readonly WrittenRecord[], traces: readonly Trace[]): void {
  const isGone = ({ recordId: id }: WrittenRecord) => id === written.recordId || superseded.some((other) => other.recordId === id)
  for (const trace of traces) if (trace.written.length > 0) trace.written = trace.written.filter((known) => !isGone(known))
  const owner = traces.find(({ traceId }) => written.recordId.startsWith(traceId)) ?? (traces[0] as Trace)
  owner.written.push(written)
}

/** The request's spans and everything below them: phases that a sender told as spans of their own belong to its trace too. */
export function spansOf(observations: readonly Observation[], traces: readonly Trace[]): Span[] {
  const wanted = new Set(observations.flatMap((entry) => entry.spanIds.map((spanId) => entry.traceId + spanId)))
  const all = traces.flatMap((trace) => trace.held.map(({ span }: ReceivedSpan) => span))
  for (let grew = true; grew; ) {
    grew = false
    for (const span of all) {
      if (wanted.has(span.traceId + span.spanId) || !wanted.has(span.traceId + span.parentSpanId)) continue
      wanted.add(span.traceId + span.spanId)
      grew = true
    }
  }
  return all.filter((span) => wanted.has(span.traceId + span.spanId))
}
