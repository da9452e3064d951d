// What @longpole/sdk sends of a request: one span for the logical request, one an attempt, phases as children.
import { GenAi, Longpole, Otel } from '@longpole/model/conventions/attributes'
import { exponentialIndex } from '@longpole/model/conventions/buckets'
import { chunksOf } from '../client/network.ts'
import type { FailedTry, SimRequest } from '../core/request.ts'
import { finishReason } from '../output/record-columns.ts'
import type { RequestIds } from './request-ids.ts'
import { Kind, type Sender, type SimSpan, type SpanAttributes } from './span.ts'
import type { Timeline } from './timeline.ts'

const OPERATIONS: Record<string, string> = { '/v1/completions': 'text_completion' }

export function clientSpans(request: SimRequest, ids: RequestIds, time: Timeline, sender: Sender): SimSpan[] {
  const base = { sender, traceId: ids.traceId, failed: false }
  const end = Number.isNaN(request.firstTokenAt) || request.outcome !== 'ok' ? request.endedAt : time.lastByteSeen
  const operation = OPERATIONS[request.route] ?? 'chat'
  const spans: SimSpan[] = [
    {
      ...base,
      spanId: ids.requestSpan,
      parentSpanId: '',
      name: `${operation} ${request.model.name}`,
      kind: Kind.client,
      start: request.startedAt,
      end,
      attributes: { ...requestAttributes(request, ids, operation), ...stamps(request, time, request.startedAt), ...outcome(request) },
      failed: request.outcome !== 'ok',
    },
  ]
  const tries = request.failedTries ?? []
  for (const [index, failed] of tries.entries()) spans.push(...failedAttempt(request, ids, sender, failed, index))
  spans.push({
    ...base,
    spanId: ids.attemptSpan(request.attempts - 1),
    parentSpanId: ids.requestSpan,
    name: `POST ${request.route}`,
    kind: Kind.client,
    start: time.attemptStart,
    end,
    attributes: {
      ...attemptAttributes(request, ids, request.attempts - 1),
      ...stamps(request, time, time.attemptStart),
      ...outcome(request),
    },
    failed: request.outcome !== 'ok',
  })
  spans.push(...connectionSpans(request, ids, time, sender))
  return spans
}

function requestAttributes(request: SimRequest, ids: RequestIds, operation: string): SpanAttributes {
  const isDone = request.outcome === 'ok'
  return {
    [Longpole.role]: 'request',
    [Longpole.vantage]: 'client',
    [Longpole.seen]: 'socket',
    [Longpole.sdk]: request.client.sdk,
    [Longpole.sdkVersion]: request.client.sdkVersion,
    [Longpole.tenant]: request.tenant.name,
    [Longpole.tenantClass]: request.tenant.tenantClass,
    [Longpole.session]: `s-${request.session}`,
    [Longpole.clientRegion]: request.client.region,
    [Longpole.requestId]: ids.requestId,
    [Longpole.outputMode]: request.outputMode,
    [Longpole.attempts]: request.attempts,
    [Otel.httpRoute]: request.route,
    [GenAi.operationName]: operation,
    [GenAi.providerName]: 'openai',
    [GenAi.requestModel]: request.model.name,
    [GenAi.requestStream]: true,
    [GenAi.requestMaxTokens]: request.maxTokens,
    ...(request.adapter === null ? {} : { [Longpole.adapter]: request.adapter }),
    ...(isDone
      ? {
          [GenAi.usageInputTokens]: request.promptTokens,
          [GenAi.usageOutputTokens]: request.outputTokens,
          [GenAi.usageCacheReadInputTokens]: request.cachedTokens,
          ...(request.model.reasoning ? { [GenAi.usageReasoningOutputTokens]: request.reasoningTokens } : {}),
          [GenAi.responseModel]: request.model.name,
          [GenAi.responseFinishReasons]: [finishReason(request)],
        }
      : {}),
  }
}

function attemptAttributes(request: SimRequest, ids: RequestIds, attempt: number): SpanAttributes {
  return {
    [Longpole.role]: 'attempt',
    [Longpole.vantage]: 'client',
    [Longpole.seen]: 'socket',
    [Longpole.requestId]: attempt === 0 ? ids.requestId : `${ids.requestId}-${attempt + 1}`,
    [Otel.httpMethod]: 'POST',
    [Otel.urlPath]: request.route,
    [Longpole.reused]: request.last.connect === 0,
    ...(attempt > 0 ? { [Otel.httpResendCount]: attempt } : {}),
  }
}

/** Seconds from a span's start at which the client saw what it saw. */
function stamps(request: SimRequest, time: Timeline, from: number): SpanAttributes {
  if (Number.isNaN(request.firstTokenAt)) return {}
  const firstToken = time.firstTokenSeen - from
  const reasoning = request.model.reasoning
  const chunks = chunksSeen(request)
  // A stream that broke off had its last token a moment before.
  const lastToken = (request.outcome === 'ok' ? time.lastByteSeen : Math.max(time.firstTokenSeen, request.endedAt - 0.001)) - from
  const pace = chunks > 1 ? (lastToken - firstToken) / (chunks - 1) : 0
  const gap = Math.max(request.longestGap, pace)
  const share = Math.min(1, request.reasoningTokens / Math.max(1, request.outputTokens - 1))
  return {
    [GenAi.responseTimeToFirstChunk]: firstToken,
    [Longpole.firstByteAt]: firstToken,
    [Longpole.firstTokenAt]: firstToken,
    [reasoning ? Longpole.firstReasoningAt : Longpole.firstAnswerAt]: firstToken,
    ...(reasoning && request.outcome === 'ok' ? { [Longpole.firstAnswerAt]: firstToken + (lastToken - firstToken) * share } : {}),
    [Longpole.lastTokenAt]: lastToken,
    [Longpole.chunks]: chunks,
    ...(chunks > 2
      ? { [Longpole.gapMax]: gap, [Longpole.gapHistogram]: [`${exponentialIndex(pace)}:${chunks - 2}`, `${exponentialIndex(gap)}:1`] }
      : {}),
  }
}

/** Chunks that came before the stream ended, for whatever reason. */
export function chunksSeen(request: SimRequest): number {
  const all = chunksOf(request)
  return request.outcome === 'ok' ? all : Math.max(1, Math.min(all, Math.floor(request.generatedTokens / request.tokensPerStep)))
}

function outcome(request: SimRequest): SpanAttributes {
  return {
    [Longpole.outcome]: request.outcome,
    ...(request.errorClass === null ? {} : { [Longpole.errorClass]: request.errorClass, [Otel.errorType]: request.errorClass }),
    ...(request.httpStatus === null ? {} : { [Otel.httpStatus]: request.httpStatus }),
  }
}

function failedAttempt(request: SimRequest, ids: RequestIds, sender: Sender, failed: FailedTry, index: number): SimSpan[] {
  const next = request.failedTries?.[index + 1]?.start ?? request.attemptAt
  const base = { sender, traceId: ids.traceId }
  return [
    {
      ...base,
      spanId: ids.attemptSpan(index),
      parentSpanId: ids.requestSpan,
      name: `POST ${request.route}`,
      kind: Kind.client,
      start: failed.start,
      end: failed.end,
      attributes: {
        ...attemptAttributes(request, ids, index),
        [Longpole.outcome]: failed.outcome,
        [Longpole.errorClass]: failed.errorClass,
        [Otel.errorType]: failed.errorClass,
        ...(failed.status === null ? {} : { [Otel.httpStatus]: failed.status }),
      },
      failed: true,
    },
    {
      ...base,
      spanId: ids.attemptSpan(100 + index),
      parentSpanId: ids.requestSpan,
      name: 'client.backoff',
      kind: Kind.internal,
      start: failed.end,
      end: next,
      attributes: phaseAttributes('client.backoff', 'sdk attempts'),
      failed: false,
    },
  ]
}

function connectionSpans(request: SimRequest, ids: RequestIds, time: Timeline, sender: Sender): SimSpan[] {
  const attempt = request.attempts - 1
  const base = { sender, traceId: ids.traceId, parentSpanId: ids.attemptSpan(attempt), kind: Kind.internal, failed: false }
  // The body is with the kernel at once; the way through the network is nobody's span.
  const written = time.connected + Math.min(0.0004, request.last.upload / 4)
  const connect = request.last.connect
  const parts: SpanAttributes =
    connect > 0 ? { [Longpole.partTcp]: request.rtt, [Longpole.partTls]: Math.max(0, connect - request.rtt) } : {}
  return [
    {
      ...base,
      spanId: ids.attemptSpan(200 + attempt),
      name: 'client.connect',
      start: time.attemptStart,
      end: time.connected,
      attributes: { ...phaseAttributes('client.connect', 'undici connection'), ...parts },
    },
    {
      ...base,
      spanId: ids.attemptSpan(220 + attempt),
      name: 'client.upload',
      start: time.connected,
      end: written,
      attributes: phaseAttributes('client.upload', 'undici bodySent'),
    },
  ]
}

export function phaseAttributes(phase: string, source: string): SpanAttributes {
  return { [Longpole.role]: 'phase', [Longpole.phase]: phase, [Longpole.source]: source, [Longpole.exactness]: 'measured' }
}
