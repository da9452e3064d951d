// A finished request → its spans, as README.md tells: one SERVER span and its `sidecar` phase child.
import { GenAi, Longpole, Otel, ScopeName } from '@longpole/model/conventions/attributes'
import type { Outcome } from '@longpole/model/request-record'
import { type Attributes, type Span, SpanKind, StatusCode } from '@longpole/model/span'
import { Delta } from '../../src/wire/sse/delta.ts'
import type { FinishedRequest, RequestFields, RequestIdentity, Stamps } from '../receivers/proxy/observation.ts'
import type { ResponseDetails } from './response-details.ts'

export interface SpanOrigin {
  resource: Attributes
  version: string
  /** Of the engine. */
  serverAddress: string
  serverPort: number
  newSpanId: () => string
}

const GENERATION =
  /\/(?:(chat\/completions|responses|messages)|(completions?|generate|generate_stream)|(embeddings)|rerank|score|classify|pooling)$/

/** Requests to these routes are LLM requests; others are proxied and counted only. */
export function isTraced({ method, path }: Pick<RequestIdentity, 'method' | 'path'>): boolean {
  return method === 'POST' && GENERATION.test(path)
}

export interface Judgement {
  outcome: Outcome
  errorClass: string | null
}

export function judge({ ending, status }: Pick<FinishedRequest, 'ending' | 'status'>, streamError: boolean): Judgement {
  if (ending === 'client_aborted') return { outcome: 'aborted', errorClass: 'caller_abort' }
  if (ending === 'refused') return { outcome: 'rejected', errorClass: 'bad_request' }
  if (ending !== 'complete') return { outcome: 'error', errorClass: ending }
  if (streamError) return { outcome: 'error', errorClass: 'stream_error' }
  if (status === null || status < 400) return { outcome: 'ok', errorClass: null }
  const errorClass = `http_${status}`
  if (status === 408 || status === 504) return { outcome: 'timeout', errorClass }
  return { outcome: status < 500 ? 'rejected' : 'error', errorClass }
}

/** Milliseconds inside the sidecar on the way in: request complete (or connection usable, if that was later) until it was sent. */
export function requestWayMs({ received, connected, sent }: Stamps): number | null {
  if (received === null || sent === null) return null
  return Math.max(0, sent - Math.max(received, connected ?? 0))
}

export function toSpans(request: FinishedRequest, details: ResponseDetails, judgement: Judgement, origin: SpanOrigin): Span[] {
  const wayIn = requestWayMs(request.at)
  const server = spanOf(request, origin, {
    spanId: request.spanId,
    parentSpanId: request.parentSpanId,
    name: `${request.method} ${request.path}`,
    kind: SpanKind.server,
    startMs: 0,
    endMs: request.endMs,
    attributes: {
      ...commonAttributes(request, origin),
      ...stampAttributes(request.at),
      ...outcomeAttributes(request, judgement),
      ...responseAttributes(request, details),
      ...seconds(Longpole.sidecarRequestSeconds, wayIn),
      ...seconds(Longpole.sidecarResponseSeconds, request.returnMs),
      ...seconds(Longpole.firstTokenOutAt, request.at.firstToken === null ? null : request.at.firstToken + (request.returnMs ?? 0)),
    },
  })
  server.statusCode = judgement.outcome === 'error' || judgement.outcome === 'timeout' ? StatusCode.error : StatusCode.unset
  if (wayIn === null) return [server]
  const startMs = request.at.received ?? 0
  const phase = spanOf(request, origin, {
    spanId: origin.newSpanId(),
    parentSpanId: request.spanId,
    name: 'sidecar',
    kind: SpanKind.internal,
    startMs,
    endMs: startMs + wayIn + (request.returnMs ?? 0),
    attributes: {
      [Longpole.role]: 'phase',
      [Longpole.phase]: 'sidecar',
      [Longpole.source]: 'sidecar proxy',
      [Longpole.exactness]: 'measured',
      [Longpole.synthesized]: true,
    },
  })
  return [server, phase]
}

/** What is known of a request from its begin on: on spans and on reports of open requests. */
export function commonAttributes(request: RequestIdentity & { fields: RequestFields }, origin: SpanOrigin): Attributes {
  const { fields } = request
  const attributes: Attributes = {
    [Longpole.vantage]: 'sidecar',
    [Longpole.role]: 'attempt',
    [Longpole.requestId]: request.requestId,
    [GenAi.operationName]: operationOf(request.path),
    [Otel.httpMethod]: request.method,
    [Otel.urlPath]: request.path,
    [Otel.serverAddress]: origin.serverAddress,
    [Otel.serverPort]: origin.serverPort,
  }
  if (fields.model !== null) attributes[GenAi.requestModel] = fields.model
  if (fields.stream !== null) attributes[GenAi.requestStream] = fields.stream
  if (fields.maxTokens !== null) attributes[GenAi.requestMaxTokens] = fields.maxTokens
  if (request.synthetic) attributes[Longpole.synthetic] = true
  if (request.tenant !== null) attributes[Longpole.tenant] = request.tenant
  if (request.session !== null) attributes[Longpole.session] = request.session
  return attributes
}

function operationOf(path: string): string {
  const match = GENERATION.exec(path)
  if (match?.[2] !== undefined) return 'text_completion'
  return match?.[3] === undefined ? 'chat' : 'embeddings'
}

const STAMPS = [
  ['received', Longpole.receivedAt],
  ['connected', Longpole.connectedAt],
  ['sent', Longpole.sentAt],
  ['headers', Longpole.headersAt],
  ['firstByte', Longpole.firstByteAt],
  ['firstToken', Longpole.firstTokenAt],
  ['firstReasoning', Longpole.firstReasoningAt],
  ['firstAnswer', Longpole.firstAnswerAt],
  ['lastToken', Longpole.lastTokenAt],
] as const satisfies readonly (readonly [keyof Stamps, string])[]

export function stampAttributes(at: Stamps): Attributes {
  const attributes: Attributes = {}
  for (const [stamp, key] of STAMPS) Object.assign(attributes, seconds(key, at[stamp]))
  return attributes
}

function outcomeAttributes(request: FinishedRequest, { outcome, errorClass }: Judgement): Attributes {
  const attributes: Attributes = {
    [Longpole.outcome]: outcome,
    [Longpole.requestBytes]: request.requestBytes,
    [Longpole.responseBytes]: request.responseBytes,
  }
  if (request.status !== null) attributes[Otel.httpStatus] = request.status
  if (request.reused !== null) attributes[Longpole.reused] = request.reused
  if (errorClass !== null) Object.assign(attributes, { [Longpole.errorClass]: errorClass, [Otel.errorType]: errorClass })
  return attributes
}

function responseAttributes(request: FinishedRequest, details: ResponseDetails): Attributes {
  const attributes: Attributes = {}
  const numbers: [string, number | null][] = [
    [GenAi.usageInputTokens, details.promptTokens],
    [GenAi.usageOutputTokens, details.outputTokens],
    [GenAi.usageCacheReadInputTokens, details.cachedTokens],
    [GenAi.usageReasoningOutputTokens, details.reasoningTokens],
  ]
  for (const [key, value] of numbers) if (value !== null) attributes[key] = value
  if (details.model !== null) attributes[GenAi.responseModel] = details.model
  if (details.id !== null) attributes[GenAi.responseId] = details.id
  if (details.systemFingerprint !== null) attributes[Otel.systemFingerprint] = details.systemFingerprint
  if (details.finishReasons.length > 0) attributes[GenAi.responseFinishReasons] = details.finishReasons
  if (request.chunks > 0) attributes[Longpole.chunks] = request.chunks
  const mode = outputMode(request, details)
  if (mode !== null) attributes[Longpole.outputMode] = mode
  const [worst] = request.worstGaps
  if (worst !== undefined) {
    attributes[Longpole.gapHistogram] = [...request.gaps]
      .sort(([left], [right]) => left - right)
      .map(([index, count]) => `${index}:${count}`)
    attributes[Longpole.gapMax] = worst[1] / 1000
    attributes[Longpole.gapWorst] = request.worstGaps.map(([atMs, gapMs]) => `${(atMs / 1000).toFixed(6)}:${(gapMs / 1000).toFixed(6)}`)
  }
  return attributes
}

/** Null where nothing tells: no token was seen and nothing finished. */
function outputMode({ deltas, fields }: FinishedRequest, { finishReasons }: ResponseDetails): string | null {
  if (deltas & Delta.tool || finishReasons.includes('tool_calls') || finishReasons.includes('tool_use')) return 'tool'
  if (deltas & Delta.reasoning) return 'reasoning'
  if (deltas === Delta.none && finishReasons.length === 0) return null
  return fields.jsonOutput ? 'json' : 'text'
}

function seconds(key: string, ms: number | null): Attributes {
  return ms === null ? {} : { [key]: ms / 1000 }
}

interface SpanParts {
  spanId: string
  parentSpanId: string
  name: string
  kind: number
  startMs: number
  endMs: number
  attributes: Attributes
}

function spanOf(request: FinishedRequest, origin: SpanOrigin, parts: SpanParts): Span {
  return {
    traceId: request.traceId,
    spanId: parts.spanId,
    parentSpanId: parts.parentSpanId,
    traceState: request.traceState,
    flags: request.traceFlags,
    name: parts.name,
    kind: parts.kind,
    startUnixNano: request.startUnixNano + nanos(parts.startMs),
    endUnixNano: request.startUnixNano + nanos(parts.endMs),
    attributes: parts.attributes,
    events: [],
    links: [],
    statusCode: StatusCode.unset,
    statusMessage: '',
    resource: origin.resource,
    scopeName: ScopeName.sidecar,
    scopeVersion: origin.version,
  }
}

function nanos(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6))
}
