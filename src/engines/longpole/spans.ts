// Our own spans: those of the SDK (client) and of the sidecar. Phases come as child spans with id, source and exactness; stamps as
// `longpole.at.*` attributes, in seconds from the start of their span.
import { GenAi, Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import type { Observation } from '@longpole/model/observation'
import { EXACTNESSES, type Exactness, isPhaseId, type PhaseDuration, type PhaseId } from '@longpole/model/phase'
import type { Attributes, Span } from '@longpole/model/span'
import { clockOf, secondsOf, textOf } from '../attributes.ts'
import { nanos, spanSeconds } from '../durations.ts'
import { type SpanTree, spanTree } from '../span-tree.ts'
import { readDimensions, readSpan } from './columns.ts'

const PARTS = { dns: Longpole.partDns, tcp: Longpole.partTcp, tls: Longpole.partTls } as const
/** `longpole.seen` of a request whose consumer's pauses delay the stamps, so that they are part of the sum. */
const SEEN_ITERATOR = 'iterator'

export function claimsSdk(span: Span): boolean {
  return span.scopeName === ScopeName.sdk
}

export function claimsSidecar(span: Span): boolean {
  return span.scopeName === ScopeName.sidecar
}

/** The logical request and each of its attempts. */
export function observeSdk(spans: readonly Span[]): Observation[] {
  const tree = spanTree(spans)
  return withRole(spans).map(({ span, role }) => observeOne(span, 'client', role, tree))
}

/** One HTTP exchange per proxied request. */
export function observeSidecar(spans: readonly Span[]): Observation[] {
  const tree = spanTree(spans)
  return withRole(spans).map(({ span }) => observeOne(span, 'sidecar', 'attempt', tree))
}

export function requestIds({ attributes }: Span): (string | null)[] {
  return [textOf(attributes, Longpole.requestId), textOf(attributes, GenAi.responseId)]
}

function withRole(spans: readonly Span[]): { span: Span; role: 'request' | 'attempt' }[] {
  const found: { span: Span; role: 'request' | 'attempt' }[] = []
  for (const span of spans) {
    const role = span.attributes[Longpole.role]
    if (role === 'request' || role === 'attempt') found.push({ span, role })
  }
  return found
}

function observeOne(span: Span, vantage: 'client' | 'sidecar', role: 'request' | 'attempt', tree: SpanTree): Observation {
  const parts = tree.childrenOf(span).filter((child) => !isRequestOrAttempt(child))
  const { attributes, startUnixNano } = span
  const { columns, stamps } = readSpan(span)
  const at = (seconds: number | undefined) => (seconds === undefined ? undefined : startUnixNano + nanos(seconds))
  const partOf = (phase: PhaseId) => parts.find((part) => part.attributes[Longpole.phase] === phase)
  const dimensions = readDimensions(attributes)
  return {
    vantage,
    role,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    spanIds: parts.length === 0 ? [span.spanId] : [span.spanId, ...parts.map((part) => part.spanId)],
    requestIds: requestIds(span).filter((id) => id !== null),
    startUnixNano,
    endUnixNano: span.endUnixNano,
    clock: clockOf(span),
    boundaries: {
      received: at(stamps.received),
      connected: at(stamps.connected) ?? partOf('client.connect')?.endUnixNano,
      sent: at(stamps.sent) ?? partOf('client.upload')?.endUnixNano,
      headers: at(stamps.headers),
      firstToken: at(stamps.firstToken),
      firstTokenOut: at(stamps.firstTokenOut),
      lastToken: at(stamps.lastToken),
    },
    phases: parts.flatMap((part) => readPhase(part, attributes)),
    overlays: [],
    columns,
    ...(dimensions === null ? {} : { dimensions }),
  }
}

function isRequestOrAttempt(span: Span): boolean {
  const role = span.attributes[Longpole.role]
  return role === 'request' || role === 'attempt'
}

/** Nothing for children that are no phase (the first-token wait), and for a consumer's pauses that delayed nothing. */
function readPhase(span: Span, owner: Attributes): PhaseDuration[] {
  const id = textOf(span.attributes, Longpole.phase)
  if (id === null || !isPhaseId(id) || id === 'unattributed') return []
  if (id === 'client.consume' && owner[Longpole.seen] !== SEEN_ITERATOR) return []
  const exactness = textOf(span.attributes, Longpole.exactness)
  const errorSeconds = secondsOf(span.attributes, Longpole.errorSeconds)
  const parts = readParts(span.attributes)
  return [
    {
      phase: id,
      seconds: spanSeconds(span),
      source: textOf(span.attributes, Longpole.source) ?? `${span.scopeName} span`,
      exactness: isExactness(exactness) ? exactness : 'measured',
      ...(errorSeconds === null ? {} : { errorSeconds }),
      ...(parts === null ? {} : { parts }),
    },
  ]
}

function isExactness(value: string | null): value is Exactness {
  return EXACTNESSES.some((known) => known === value)
}

function readParts(attributes: Attributes): Record<string, number> | null {
  const parts: Record<string, number> = {}
  for (const [name, key] of Object.entries(PARTS)) {
    const seconds = secondsOf(attributes, key)
    if (seconds !== null) parts[name] = seconds
  }
  return Object.keys(parts).length === 0 ? null : parts
}
