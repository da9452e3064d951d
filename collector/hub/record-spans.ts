// A settled request as one trace with every phase a child span (contract 2b). The senders' own spans are kept; spans that told a phase
// give way to one span a phase with the record's length, so that nothing is there twice. A span that no sender told is marked as
// synthesised.
import { createHash } from 'node:crypto'
import { Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import type { PhaseDuration, PhaseId } from '@longpole/model/phase'
import type { RequestRecord } from '@longpole/model/request-record'
import { type Attributes, type Span, SpanKind } from '@longpole/model/span'

/** `spans` are those the record was made from and those below them. */
export function spansOfRecord(record: RequestRecord, spans: readonly Span[], version: string): Span[] {
  const told = new Map<string, Span[]>()
  for (const span of spans) {
    const phase = span.attributes[Longpole.phase]
    if (typeof phase === 'string') told.set(phase, [...(told.get(phase) ?? []), span])
  }
  const phaseSpans = new Set([...told.values()].flat())
  const kept = spans.filter((span) => !phaseSpans.has(span)).map((span) => inTrace(span, record))
  const root = kept.find((span) => record.record_id.endsWith(span.spanId)) ?? kept[0]
  if (root === undefined) return []
  const owners = findOwners(kept, record, root)
  const resource = { ...root.resource, ...placeOf(record) }
  const children: Span[] = []
  const cursors = new Map<Span, bigint>()
  for (const phase of record.phases) {
    if (phase.phase === 'unattributed' && phase.seconds === 0) continue
    const owner = ownerOf(phase.phase, owners)
    const real = told.get(phase.phase)?.[0]
    const start = real?.startUnixNano ?? cursors.get(owner) ?? owner.startUnixNano
    const span = phaseSpan(phase, { record, owner, start, real, version, resource })
    cursors.set(owner, span.endUnixNano)
    children.push(span)
  }
  return [...kept, ...children]
}

interface Owners {
  outermost: Span
  attempt: Span
  sidecar: Span
  engine: Span
}

/** Whose child a phase is: the span of the vantage it happened at. */
function findOwners(spans: readonly Span[], record: RequestRecord, root: Span): Owners {
  const attempt = spans.find((span) => span.spanId === record.attempt_list.at(-1)?.span_id) ?? root
  const sidecar = spans.find((span) => span.scopeName === ScopeName.sidecar) ?? attempt
  const hop = record.hops.at(-1)?.span_id
  const ours: readonly string[] = [ScopeName.sdk, ScopeName.sidecar, ScopeName.hub]
  const foreign = (span: Span) => !ours.includes(span.scopeName) && span.kind === SpanKind.server && span !== root
  const engine = spans.find((span) => span.spanId === hop) ?? spans.find(foreign) ?? (record.vantage === 'engine' ? root : sidecar)
  return { outermost: root, attempt, sidecar, engine }
}

function ownerOf(phase: PhaseId, { outermost, attempt, sidecar, engine }: Owners): Span {
  if (phase === 'sidecar') return sidecar
  if (phase.startsWith('engine.') || phase.startsWith('kv.')) return engine
  if (phase === 'client.connect' || phase === 'client.upload') return attempt
  return outermost
}

interface PhaseSpanContext {
  record: RequestRecord
  owner: Span
  start: bigint
  /** The span that told the phase, if a sender did. */
  real: Span | undefined
  version: string
  resource: Attributes
}

function phaseSpan(phase: PhaseDuration, { record, owner, start, real, version, resource }: PhaseSpanContext): Span {
  return {
    traceId: record.trace_id,
    spanId: real?.spanId ?? idOf(record.record_id, phase.phase),
    parentSpanId: owner.spanId,
    traceState: '',
    flags: 1,
    name: phase.phase,
    kind: SpanKind.internal,
    startUnixNano: start,
    endUnixNano: start + BigInt(Math.round(phase.seconds * 1e9)),
    attributes: attributesOf(phase, record, real),
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    resource,
    scopeName: ScopeName.hub,
    scopeVersion: version,
  }
}

function attributesOf(phase: PhaseDuration, record: RequestRecord, real: Span | undefined): Attributes {
  const attributes: Attributes = {
    ...real?.attributes,
    [Longpole.role]: 'phase',
    [Longpole.phase]: phase.phase,
    [Longpole.source]: phase.source,
    [Longpole.exactness]: phase.exactness,
  }
  if (phase.errorSeconds !== undefined) attributes[Longpole.errorSeconds] = phase.errorSeconds
  if (real === undefined) attributes[Longpole.synthesized] = true
  if (phase.phase === 'engine.prefill') addCache(attributes, record)
  if (phase.phase === 'kv.transfer') addTransfer(attributes, record)
  return attributes
}

function addCache(attributes: Attributes, record: RequestRecord): void {
  const { cached_tokens: cached, prompt_tokens: prompt, cached_tokens_by_tier: tiers } = record
  if (cached === null) return
  attributes[Longpole.kvCachedTokens] = cached
  if (prompt !== null && prompt > 0) attributes[Longpole.kvHitRatio] = cached / prompt
  if (tiers !== null) attributes[Longpole.kvTier] = Object.entries(tiers).map(([tier, tokens]) => `${tier}:${tokens}`)
}

function addTransfer(attributes: Attributes, record: RequestRecord): void {
  if (record.prefill_replica !== null) attributes[Longpole.kvSource] = record.prefill_replica
  if (record.decode_replica !== null) attributes[Longpole.kvDestination] = record.decode_replica
  if (record.kv_bytes !== null) attributes[Longpole.kvBytes] = record.kv_bytes
}

/** Spans of a second trace (joined by request id) come into the record's trace, below its root. */
function inTrace(span: Span, record: RequestRecord): Span {
  if (span.traceId === record.trace_id) return span
  return {
    ...span,
    traceId: record.trace_id,
    parentSpanId: span.parentSpanId === '' ? (record.record_id.split('-')[1] as string) : span.parentSpanId,
  }
}

function placeOf(record: RequestRecord): Attributes {
  const attributes: Attributes = {}
  if (record.replica !== null) attributes[Longpole.replica] = record.replica
  if (record.cluster !== null) attributes[Longpole.cluster] = record.cluster
  return attributes
}

/** The same span id each time the record is sent. */
function idOf(recordId: string, phase: PhaseId): string {
  return createHash('sha256').update(`${recordId}\n${phase}`).digest('hex').slice(0, 16)
}
