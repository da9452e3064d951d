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
import { arrivalOf, earliestArrival, findWritten, isAsWritten, latestArrival, remember, spansOf } from './parts.ts'
import type { PathContext } from './path.ts'
import { parentsOf, type ReceivedSpan, sizeOf, type Trace, type WrittenRecord } from './trace.ts'
import { createTraceTable, type TraceTable } from './trace-table.ts'
import { weightOf } from './weight.ts'

export type { ReceivedSpan, WrittenRecord } from './trace.ts'

export interface SettledRequest {
  record: RequestRecord
  /** `settled`: first written (but for a row that said it was open), counted in metrics; `amended`: a later version. */
  event: 'settled' | 'amended'
  /** The distinct spans it was made from and those below them, for the exporter: to be asked for at once. */
  spans(): Span[]
  /** Ids of records that turned out to be parts of this one. */
  superseded: WrittenRecord[]
}

export interface CorrelatorSettings {
  clock: Clock
  /** The spans of one trace → what they say (src/engines). */
  observe(spans: readonly Span[]): { observations: Observation[] }
  /** Ids that one span tells alone; its observation has no others. */
  requestIds(span: Span): readonly string[]
  streamHeaders: PathContext['streamHeaders']
  /** Takes each finished or amended record. */
  settle(request: SettledRequest): void
  /** Spans of traces that were closed and forgotten, first received at or after the instant. */
  spansOfTraces(traceIds: readonly string[], sinceUnixNano: bigint): Promise<Span[]>
  /** Records written from traces of which only that is known, that there are some. */
  recordsOfTraces(traceIds: readonly string[], sinceUnixNano: bigint): Promise<{ traceId: string; written: WrittenRecord }[]>
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
/** Rest of what comes after the rest: an amendment, or spans read back from the store. */
const REST_MS = 1_000
/** What was made of the spans is made again rather than held for longer. */
const HOLD_MS = 1_000
/** Rough heap size of an observation. */
const OBSERVATION_BYTES = 1_200
/** Traces read back from the store in one question. */
const LOADED_AT_ONCE = 64
/** What was received longer before the records that can still be amended is not looked for. */
const MAX_REQUEST_SECONDS = 3_600
/** Longest stretch of work without letting receivers and the API have a turn. */
const SLICE_MS = 5

export function createCorrelator(settings: CorrelatorSettings): Correlator {
  return new TraceCorrelator(settings)
}

class TraceCorrelator implements Correlator {
  readonly offsets: ClockOffsets
  private readonly settings: CorrelatorSettings
  private readonly clock: Clock
  private readonly table: TraceTable
  private readonly weights = new WeakMap<Observation, number>()
  private readonly context: AssembleContext
  /** One reading of both clocks: receive times are looked at as monotonic ms. */
  private readonly base: { unixNano: bigint; ms: number }

  constructor(settings: CorrelatorSettings) {
    this.settings = settings
    this.clock = settings.clock
    this.base = { unixNano: settings.clock.unixNano(), ms: settings.clock.monotonicMs() }
    this.offsets = createClockOffsets(settings.clock)
    this.table = createTraceTable(settings)
    this.context = {
      offsets: this.offsets,
      streamHeaders: settings.streamHeaders,
      weightOf: (observation) => this.weights.get(observation) ?? 1,
    }
  }

  add(spans: readonly ReceivedSpan[]): void {
    const now = this.clock.monotonicMs()
    for (const entry of spans) {
      const trace = this.table.open(entry.span.traceId)
      if (!this.keep(trace, entry)) continue
      trace.touchedMs = now
      if (now - this.toMonotonic(entry.receivedUnixNano) > REST_MS) trace.restMs = now + REST_MS
      this.table.schedule(trace, this.firstLookMs(trace, now))
    }
  }

  async tick(): Promise<void> {
    await this.lookAtAll(this.table.due(this.clock.monotonicMs()), false)
    await this.lookAtAll(this.table.overBudget(), true)
    // Open traces may have grown without one being due.
    this.table.trimClosed()
    this.table.forget()
  }

  async flush(): Promise<void> {
    await this.lookAtAll(this.table.listOpen(), true)
  }

  restore(traceId: string, written: WrittenRecord): void {
    this.table.restore(traceId, written)
  }

  oldestUnsettledUnixNano(): bigint | null {
    return this.table.oldestUnixNano()
  }

  counts(): ReturnType<Correlator['counts']> {
    return this.table.counts()
  }

  isOverBudget(): boolean {
    return this.table.counts().bytes > this.settings.memoryBytes * 1.25
  }

  private async lookAtAll(traces: readonly Trace[], isForced: boolean): Promise<void> {
    for (let from = 0; from < traces.length; from += LOADED_AT_ONCE) {
      const piece = traces.slice(from, from + LOADED_AT_ONCE)
      await this.lookAtEach(await this.loaded(piece), isForced)
      // What was read back for an amendment is let go again before the next piece is.
      this.table.trimClosed()
    }
  }

  private async lookAtEach(traces: readonly Trace[], isForced: boolean): Promise<void> {
    let sliceMs = this.clock.monotonicMs()
    for (const trace of traces) {
      if (this.clock.monotonicMs() - sliceMs > SLICE_MS) {
        await new Promise((resume) => setImmediate(resume))
        sliceMs = this.clock.monotonicMs()
      }
      if (trace.state === 'open') this.look(trace, isForced)
    }
  }

  /** Those that are whole: what was closed and forgotten is read back, all in one question. */
  private async loaded(traces: readonly Trace[]): Promise<readonly Trace[]> {
    const missing = traces.filter((trace) => trace.state === 'open' && trace.mustLoad && !isAsWritten(trace, this.observe(trace)))
    if (missing.length === 0) return traces
    try {
      await this.load(missing)
      return traces
    } catch (error) {
      // The store is away: they are looked at again.
      this.settings.onTrouble((error as Error).message)
      for (const trace of missing) this.table.schedule(trace, this.clock.monotonicMs() + REST_MS)
      return traces.filter((trace) => !missing.includes(trace))
    }
  }

  private look(trace: Trace, isForced: boolean): void {
    const { table, settings } = this
    const traces = this.linked(trace)
    const now = this.clock.monotonicMs()
    const observations = traces.length === 1 ? this.observe(trace) : traces.flatMap((entry) => this.observe(entry))
    let next = Number.POSITIVE_INFINITY
    for (const parts of joinRequests(observations, () => parentsOf(traces))) {
      const dueMs = isForced ? 0 : this.dueOf(parts, traces)
      if (dueMs > now) next = Math.min(next, dueMs)
      else this.finish(parts, traces)
    }
    for (const entry of traces) {
      if (next < Number.POSITIVE_INFINITY) {
        table.schedule(entry, Math.max(next, now + 50))
        if (next > now + HOLD_MS) this.forgetObservations(entry)
      } else if (observations.length > 0 || isForced || now - entry.touchedMs >= settings.withoutClientSeconds * 1e3) {
        this.forgetObservations(entry)
        table.close(entry)
      } else table.schedule(entry, entry.touchedMs + settings.withoutClientSeconds * 1e3)
    }
  }

  private observe(trace: Trace): Observation[] {
    if (trace.observations !== null) return trace.observations
    const { observations } = this.settings.observe(trace.spans())
    for (const observation of observations) {
      const span = trace.find(observation.spanId)?.span
      if (span !== undefined && span.traceState !== '') this.weights.set(observation, weightOf(span.traceState))
    }
    trace.observations = observations
    this.table.grow(trace, observations.length * OBSERVATION_BYTES)
    return observations
  }

  /** The trace and those that share a request id with it, and so on, boundedly. */
  private linked(first: Trace): readonly Trace[] {
    if (this.table.sharing(first).length === 0) return [first]
    const found = new Set([first])
    for (const trace of found) for (const other of this.table.sharing(trace)) if (found.size < MAX_LINKED_TRACES) found.add(other)
    return [...found].sort((left, right) => (left.traceId < right.traceId ? -1 : 1))
  }

  /** Before that nothing of it can be due, unless it amends a record. */
  private firstLookMs({ written, mustLoad, firstUnixNano }: Trace, now: number): number {
    if (written.length > 0 || mustLoad || firstUnixNano === null) return now + REST_MS
    return Math.max(now + REST_MS, this.toMonotonic(firstUnixNano) + this.settings.afterSeconds * 1e3)
  }

  private toMonotonic(unixNano: bigint): number {
    return this.base.ms + Number(unixNano - this.base.unixNano) / 1e6
  }

  private async load(traces: readonly Trace[]): Promise<void> {
    const { spansOfTraces, recordsOfTraces, amendSeconds } = this.settings
    const byId = new Map(traces.map((trace) => [trace.traceId, trace]))
    const since = this.clock.unixNano() - BigInt(Math.ceil((2 * amendSeconds + MAX_REQUEST_SECONDS) * 1e9))
    const unknown = traces.filter(({ written }) => written.length === 0).map(({ traceId }) => traceId)
    if (unknown.length > 0) {
      for (const { traceId, written } of await recordsOfTraces(unknown, since)) this.table.restore(traceId, written)
    }
    for (const span of await spansOfTraces([...byId.keys()], since)) {
      this.keep(byId.get(span.traceId) as Trace, { span, receivedUnixNano: this.clock.unixNano() })
    }
    for (const trace of traces) trace.mustLoad = false
  }

  /** When the request may be written: see contract.md, "Closing". Its traces may be at rest for longer. */
  private dueOf({ observations }: RequestParts, traces: readonly Trace[]): number {
    const { afterSeconds, withoutClientSeconds } = this.settings
    const root = observations[0] as Observation
    const restMs = traces.reduce((latest, trace) => Math.max(latest, trace.restMs), 0)
    const isComplete = root.vantage === 'client' && (root.role === 'request' || root.parentSpanId === '')
    if (findWritten(observations, traces).some(({ version }) => version > 0)) {
      return Math.max(restMs, this.toMonotonic(latestArrival(observations, traces)) + REST_MS)
    }
    if (isComplete) return Math.max(restMs, this.toMonotonic(arrivalOf(root, traces)) + afterSeconds * 1e3)
    return Math.max(restMs, this.toMonotonic(latestArrival(observations, traces)) + withoutClientSeconds * 1e3)
  }

  private finish(parts: RequestParts, traces: readonly Trace[]): void {
    const { observations } = parts
    const [known, ...superseded] = findWritten(observations, traces)
    const assembled = assembleRecord(parts, this.context)
    const { record } = assembled
    if (known !== undefined && superseded.length === 0 && known.version >= record.version) return
    record.received_unix_ns = known?.receivedUnixNano ?? earliestArrival(observations, traces)
    record.record_id = known?.recordId ?? record.record_id
    const isFirst = known === undefined || known.version === 0
    this.learn(assembled, isFirst)
    remember({ recordId: record.record_id, receivedUnixNano: record.received_unix_ns, version: record.version }, superseded, traces)
    this.settings.settle({ record, event: isFirst ? 'settled' : 'amended', spans: () => spansOf(observations, traces), superseded })
  }

  /** Clamped phases at the closing, seams at amendments too: an engine's spans come in batches, often after the closing. */
  private learn({ seams, negatives }: Assembled, isFirst: boolean): void {
    for (const seam of seams) this.offsets.add(seam)
    if (isFirst) for (const phase of negatives) this.settings.onNegativeResidual(phase)
  }

  private forgetObservations(trace: Trace): void {
    if (trace.observations === null) return
    this.table.grow(trace, -trace.observations.length * OBSERVATION_BYTES)
    trace.observations = null
  }

  private keep(trace: Trace, entry: ReceivedSpan): boolean {
    if (trace.find(entry.span.spanId) !== undefined || trace.held.length >= MAX_SPANS_PER_TRACE) return false
    trace.add(entry)
    this.forgetObservations(trace)
    this.table.grow(trace, sizeOf(entry.span))
    for (const id of this.settings.requestIds(entry.span)) this.table.addRequestId(trace, id)
    return true
  }
}
