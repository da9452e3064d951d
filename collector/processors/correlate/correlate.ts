// Joins the spans of client, gateway, sidecar and engine into request records. Spans come late, twice and in any order: each is kept
// with its trace, a request is written when its outermost span has been here for `afterSeconds`, and parts that come later amend it.
// Replay after a restart is the same path: a record is the same function of the same spans.
import type { Clock } from '@longpole/model/clock'
import type { Observation } from '@longpole/model/observation'
import type { PhaseId } from '@longpole/model/phase'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Span } from '@longpole/model/span'
import { type AssembleContext, type Assembled, assembleRecord } from './assemble.ts'
import { type ClockOffsets, createClockOffsets } from './clock-offset.ts'
import { joinRequests, type RequestParts } from './join.ts'
import type { PathContext } from './path.ts'
import { parentsOf, sizeOf, type Trace, type WrittenRecord } from './trace.ts'
import { createTraceTable } from './trace-table.ts'
import { weightOf } from './weight.ts'

/** A span with the time it was first received, which never changes. */
export interface ReceivedSpan {
  span: Span
  receivedUnixNano: bigint
}

export interface SettledRequest {
  record: RequestRecord
  /** `settled`: first written (but for a row that said it was open), counted in metrics; `amended`: a later version. */
  event: 'settled' | 'amended'
  /** The distinct spans it was made from and those below them, for the exporter. */
  spans: Span[]
  /** Ids of records that turned out to be parts of this one. */
  superseded: WrittenRecord[]
}

export interface CorrelatorSettings {
  clock: Clock
  /** The spans of one trace → what they say (src/engines). */
  observe(spans: readonly Span[]): { observations: Observation[] }
  streamHeaders: PathContext['streamHeaders']
  /** Takes each finished or amended record. */
  settle(request: SettledRequest): void
  /** Spans of a trace that was closed and forgotten. */
  spansOfTrace(traceId: string): Promise<Span[]>
  onNegativeResidual(phase: PhaseId): void
  onTrouble(message: string): void
  afterSeconds: number
  withoutClientSeconds: number
  amendSeconds: number
  /** Memory for spans of open and recently closed traces. */
  memoryBytes: number
  maxTraces: number
}

export interface Correlator {
  add(spans: readonly ReceivedSpan[]): void
  /** Looks at what is due; to be called several times a second. */
  tick(): Promise<void>
  /** Settles everything that is open now, due or not: at shutdown of a test or a replay. */
  flush(): Promise<void>
  /** Whether the span is known, so that a second copy need not be stored. */
  has(traceId: string, spanId: string): boolean
  /** Records written before a restart: they are not written again unless something is new. */
  restore(traceId: string, written: WrittenRecord): void
  /** First receive time of the oldest span that is in no written record yet; null when there is none. */
  oldestUnsettledUnixNano(): bigint | null
  counts(): { unsettled: number; traces: number; bytes: number }
  /** More is held than may be: `tick` should come at once. */
  isOverBudget(): boolean
  offsets: ClockOffsets
}

/** Spans of one trace beyond this are stored and not correlated. */
export const MAX_SPANS_PER_TRACE = 2_000
const MAX_LINKED_TRACES = 16
const OBSERVE_DELAY_MS = 1_000
/** Rough heap size of an observation. */
const OBSERVATION_BYTES = 1_200
/** Longest stretch of work without letting receivers and the API have a turn. */
const SLICE_MS = 8

export function createCorrelator(settings: CorrelatorSettings): Correlator {
  const { clock } = settings
  const offsets = createClockOffsets(clock)
  const table = createTraceTable(settings)
  const weights = new WeakMap<Observation, number>()
  const context: AssembleContext = {
    offsets,
    streamHeaders: settings.streamHeaders,
    weightOf: (observation) => weights.get(observation) ?? 1,
  }

  function observe(trace: Trace): Observation[] {
    if (trace.observations !== null) return trace.observations
    const { observations } = settings.observe([...trace.spans.values()])
    for (const observation of observations) {
      const span = trace.spans.get(observation.spanId)
      if (span !== undefined && span.traceState !== '') weights.set(observation, weightOf(span.traceState))
    }
    trace.observations = observations
    table.grow(trace, observations.length * OBSERVATION_BYTES)
    table.setRequestIds(trace, [...new Set(observations.flatMap((entry) => entry.requestIds))])
    return observations
  }

  async function look(trace: Trace, isForced: boolean): Promise<void> {
    if (trace.mustLoad && !isAsWritten(trace)) await load(trace)
    const traces = linked(trace)
    const observations = traces.flatMap(observe)
    if (!isForced && traces.every(isYoung)) {
      for (const entry of traces) table.schedule(entry, entry.firstMs + settings.afterSeconds * 1e3)
      return
    }
    let next = Number.POSITIVE_INFINITY
    const now = clock.monotonicMs()
    for (const parts of joinRequests(observations, parentsOf(traces))) {
      const dueMs = Math.max(dueOf(parts, traces), ...traces.map(({ restMs }) => restMs))
      if (dueMs > now && !isForced) next = Math.min(next, dueMs)
      else finish(parts, traces)
    }
    for (const entry of traces) {
      if (Number.isFinite(next)) table.schedule(entry, Math.max(next, now + 50))
      else if (observations.length > 0 || isForced || now - entry.touchedMs >= settings.withoutClientSeconds * 1e3) {
        forgetObservations(entry)
        table.close(entry)
      } else table.schedule(entry, entry.touchedMs + settings.withoutClientSeconds * 1e3)
    }
  }

  /** The trace and those that share a request id with it, and so on, boundedly. */
  function linked(first: Trace): Trace[] {
    const found = new Set([first])
    for (const trace of found) {
      observe(trace)
      for (const other of table.sharing(trace.requestIds)) {
        if (found.size < MAX_LINKED_TRACES) found.add(other)
      }
    }
    return [...found].sort((left, right) => (left.traceId < right.traceId ? -1 : 1))
  }

  /** Nothing of it can be due yet; it was only looked at for the request ids that link it to others. */
  function isYoung({ firstMs, written }: Trace): boolean {
    return written.length === 0 && clock.monotonicMs() < firstMs + settings.afterSeconds * 1e3
  }

  /** After a restart most traces come back whole: then nothing need be read. */
  function isAsWritten(trace: Trace): boolean {
    const parts = joinRequests(observe(trace), parentsOf([trace]))
    return parts.every(({ observations }) => {
      const spans = new Set(observations.flatMap((entry) => entry.spanIds.map((spanId) => `${entry.traceId}-${spanId}`)))
      return trace.written.some(({ recordId, version }) => version === spans.size && spans.has(recordId))
    })
  }

  async function load(trace: Trace): Promise<void> {
    const spans = await settings.spansOfTrace(trace.traceId)
    for (const span of spans) keep(trace, { span, receivedUnixNano: clock.unixNano() })
    trace.mustLoad = false
  }

  /** When the request may be written: see contract.md, "Closing". */
  function dueOf({ observations }: RequestParts, traces: readonly Trace[]): number {
    const [root] = observations as [Observation]
    const byId = new Map(traces.map((trace) => [trace.traceId, trace]))
    const arrivalMs = (observation: Observation) =>
      Math.max(...observation.spanIds.map((spanId) => toMonotonic(byId.get(observation.traceId)?.received.get(spanId) ?? 0n)))
    const isComplete = root.vantage === 'client' && (root.role === 'request' || root.parentSpanId === '')
    const isAmendment = findWritten(observations, traces).some(({ version }) => version > 0)
    if (isAmendment) return Math.max(...observations.map(arrivalMs)) + OBSERVE_DELAY_MS
    if (isComplete) return arrivalMs(root) + settings.afterSeconds * 1e3
    return Math.max(...observations.map(arrivalMs)) + settings.withoutClientSeconds * 1e3
  }

  function toMonotonic(unixNano: bigint): number {
    return clock.monotonicMs() - Number(clock.unixNano() - unixNano) / 1e6
  }

  function findWritten(observations: readonly Observation[], traces: readonly Trace[]): WrittenRecord[] {
    const ids = new Set(observations.flatMap((entry) => entry.spanIds.map((spanId) => `${entry.traceId}-${spanId}`)))
    return traces
      .flatMap((trace) => trace.written)
      .filter(({ recordId }) => ids.has(recordId))
      .sort((left, right) => (left.receivedUnixNano < right.receivedUnixNano ? -1 : left.receivedUnixNano > right.receivedUnixNano ? 1 : 0))
  }

  function finish(parts: RequestParts, traces: readonly Trace[]): void {
    const { observations } = parts
    const [known, ...superseded] = findWritten(observations, traces)
    const assembled = assembleRecord(parts, context)
    const { record } = assembled
    if (known !== undefined && superseded.length === 0 && known.version >= record.version) return
    record.received_unix_ns = known?.receivedUnixNano ?? earliest(observations, traces)
    record.record_id = known?.recordId ?? record.record_id
    const isFirst = known === undefined || known.version === 0
    learn(assembled, isFirst)
    const written = { recordId: record.record_id, receivedUnixNano: record.received_unix_ns, version: record.version }
    remember(written, superseded, traces)
    settings.settle({ record, event: isFirst ? 'settled' : 'amended', spans: spansOf(observations, traces), superseded })
  }

  /** Clamped phases at the closing, seams at amendments too: an engine's spans come in batches, often after the closing. */
  function learn({ seams, negatives }: Assembled, isFirst: boolean): void {
    for (const seam of seams) offsets.add(seam)
    if (isFirst) for (const phase of negatives) settings.onNegativeResidual(phase)
  }

  function remember(written: WrittenRecord, superseded: readonly WrittenRecord[], traces: readonly Trace[]): void {
    const gone = new Set([written.recordId, ...superseded.map(({ recordId }) => recordId)])
    for (const trace of traces) trace.written = trace.written.filter(({ recordId }) => !gone.has(recordId))
    const owner = traces.find(({ traceId }) => written.recordId.startsWith(traceId)) ?? (traces[0] as Trace)
    owner.written.push(written)
  }

  function forgetObservations(trace: Trace): void {
    if (trace.observations === null) return
    table.grow(trace, -trace.observations.length * OBSERVATION_BYTES)
    trace.observations = null
  }

  function keep(trace: Trace, { span, receivedUnixNano }: ReceivedSpan): boolean {
    if (trace.spans.has(span.spanId) || trace.spans.size >= MAX_SPANS_PER_TRACE) return false
    trace.spans.set(span.spanId, span)
    trace.received.set(span.spanId, receivedUnixNano)
    trace.firstMs = Math.min(trace.firstMs, toMonotonic(receivedUnixNano))
    forgetObservations(trace)
    table.grow(trace, sizeOf(span))
    return true
  }

  async function lookAtAll(traces: readonly Trace[], isForced: boolean): Promise<void> {
    let sliceMs = clock.monotonicMs()
    for (const trace of traces) {
      if (!table.isOpen(trace)) continue
      if (clock.monotonicMs() - sliceMs > SLICE_MS) {
        await new Promise((resume) => setImmediate(resume))
        sliceMs = clock.monotonicMs()
      }
      try {
        await look(trace, isForced)
      } catch (error) {
        // The store was away when a closed trace had to be read back: look again.
        settings.onTrouble((error as Error).message)
        table.schedule(trace, clock.monotonicMs() + OBSERVE_DELAY_MS)
      }
    }
  }

  return {
    add(spans) {
      for (const entry of spans) {
        const trace = table.open(entry.span.traceId)
        if (!keep(trace, entry)) continue
        trace.touchedMs = clock.monotonicMs()
        if (trace.touchedMs - toMonotonic(entry.receivedUnixNano) > OBSERVE_DELAY_MS) trace.restMs = trace.touchedMs + OBSERVE_DELAY_MS
        table.schedule(trace, trace.touchedMs + OBSERVE_DELAY_MS)
      }
    },
    async tick() {
      await lookAtAll(table.due(clock.monotonicMs()), false)
      await lookAtAll(table.overBudget(), true)
      table.trimClosed()
      table.forget()
    },
    async flush() {
      await lookAtAll(table.listOpen(), true)
    },
    has: (traceId, spanId) => table.find(traceId)?.spans.has(spanId) ?? false,
    restore: (traceId, written) => table.restore(traceId, written),
    oldestUnsettledUnixNano: () => table.oldestUnixNano(),
    counts: () => table.counts(),
    isOverBudget: () => table.counts().bytes > settings.memoryBytes * 1.25,
    offsets,
  }
}

function earliest(observations: readonly Observation[], traces: readonly Trace[]): bigint {
  let first: bigint | null = null
  const byId = new Map(traces.map((trace) => [trace.traceId, trace]))
  for (const { traceId, spanIds } of observations) {
    for (const spanId of spanIds) {
      const at = byId.get(traceId)?.received.get(spanId)
      if (at !== undefined && (first === null || at < first)) first = at
    }
  }
  return first ?? 0n
}

/** The request's spans and everything below them: phases that a sender told as spans of their own belong to its trace too. */
function spansOf(observations: readonly Observation[], traces: readonly Trace[]): Span[] {
  const wanted = new Set(observations.flatMap((entry) => entry.spanIds.map((spanId) => entry.traceId + spanId)))
  const all = traces.flatMap((trace) => [...trace.spans.values()])
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
