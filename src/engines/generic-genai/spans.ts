// Stock OpenTelemetry client spans: GenAI instrumentations (the Python openai one and its kin) and HTTP clients that call an
// LLM route. They see the whole request and no phase of it; their worth is the join and the outermost duration.
import { GenAi, Otel } from '@longpole/model/conventions/attributes'
import type { Observation } from '@longpole/model/observation'
import type { RequestColumns } from '@longpole/model/request-columns'
import { promptClass } from '@longpole/model/request-record'
import { type Span, SpanKind, StatusCode } from '@longpole/model/span'
import { clockOf, countOf, firstTextOf, secondsOf, textOf } from '../attributes.ts'
import { nanos } from '../durations.ts'
import { isModelRoute } from '../gateway.ts'
import { type SpanTree, spanTree } from '../span-tree.ts'

/** Operations that are one call of a model; `execute_tool`, `invoke_agent` and their kin are the caller's own work. */
const OPERATIONS = new Set(['chat', 'text_completion', 'generate_content', 'embeddings'])
/** Names before GenAI conventions 1.27 and 1.37, still sent by released instrumentations. */
const Older = {
  system: 'gen_ai.system',
  promptTokens: 'gen_ai.usage.prompt_tokens',
  completionTokens: 'gen_ai.usage.completion_tokens',
  httpMethod: 'http.method',
  httpUrl: 'http.url',
  httpStatus: 'http.status_code',
  urlFull: 'url.full',
} as const

export function claims(span: Span): boolean {
  return isGenAi(span) || isLlmHttp(span)
}

export function observe(spans: readonly Span[]): Observation[] {
  const tree = spanTree(spans)
  const taken = new Set<string>()
  const observations: Observation[] = []
  for (const span of spans.filter(isGenAi)) {
    if (taken.has(span.spanId)) continue
    const exchanges = exchangesBelow(span, tree)
    for (const nested of tree.subtree(span)) taken.add(nested.spanId)
    observations.push(observeCall(span, 'request', exchanges.length === 1 ? exchanges : []))
    if (exchanges.length > 1) observations.push(...exchanges.map((exchange) => observeCall(exchange, 'attempt', [])))
  }
  for (const span of spans) if (!taken.has(span.spanId) && isLlmHttp(span)) observations.push(observeCall(span, 'request', []))
  return observations
}

export function requestIds({ attributes }: Span): (string | null)[] {
  return [textOf(attributes, GenAi.responseId)]
}

function isGenAi(span: Span): boolean {
  const { attributes } = span
  const operation = textOf(attributes, GenAi.operationName)
  if (operation !== null) return OPERATIONS.has(operation) && span.kind !== SpanKind.server
  return (
    span.kind === SpanKind.client && (Older.system in attributes || GenAi.providerName in attributes) && GenAi.requestModel in attributes
  )
}

function isLlmHttp(span: Span): boolean {
  if (span.kind !== SpanKind.client) return false
  const { attributes } = span
  const method = textOf(attributes, Otel.httpMethod) ?? textOf(attributes, Older.httpMethod)
  const url = textOf(attributes, Older.urlFull) ?? textOf(attributes, Older.httpUrl) ?? textOf(attributes, Otel.urlPath)
  return method === 'POST' && isModelRoute(url)
}

function exchangesBelow(span: Span, tree: SpanTree): Span[] {
  return tree.subtree(span).filter((below) => below !== span && isLlmHttp(below))
}

function observeCall(span: Span, role: 'request' | 'attempt', inside: readonly Span[]): Observation {
  const firstChunk = secondsOf(span.attributes, GenAi.responseTimeToFirstChunk)
  return {
    vantage: 'client',
    role,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    spanIds: [span.spanId, ...inside.map((exchange) => exchange.spanId)],
    requestIds: requestIds(span).filter((id) => id !== null),
    startUnixNano: span.startUnixNano,
    endUnixNano: span.endUnixNano,
    clock: clockOf(span),
    // The first chunk of a stream holds the role only, but with vLLM and SGLang it leaves together with the first token.
    boundaries: firstChunk === null ? {} : { firstToken: span.startUnixNano + nanos(firstChunk) },
    phases: [],
    overlays: [],
    columns: columnsOf(span, inside),
  }
}

function columnsOf(span: Span, inside: readonly Span[]): Partial<RequestColumns> {
  const { attributes } = span
  const status = [span, ...inside].map(({ attributes: own }) => countOf(own, Otel.httpStatus) ?? countOf(own, Older.httpStatus))
  const httpStatus = status.find((value) => value !== null) ?? null
  const promptTokens = countOf(attributes, GenAi.usageInputTokens) ?? countOf(attributes, Older.promptTokens)
  const columns: Partial<RequestColumns> = {
    model: textOf(attributes, GenAi.requestModel),
    prompt_tokens: promptTokens,
    prompt_class: promptClass(promptTokens),
    cached_tokens: countOf(attributes, GenAi.usageCacheReadInputTokens),
    output_tokens: countOf(attributes, GenAi.usageOutputTokens) ?? countOf(attributes, Older.completionTokens),
    max_tokens: countOf(attributes, GenAi.requestMaxTokens),
    finish_reason: firstTextOf(attributes, GenAi.responseFinishReasons),
    ttft: secondsOf(attributes, GenAi.responseTimeToFirstChunk),
    http_status: httpStatus,
    sdk: textOf(span.resource, Otel.telemetrySdkLanguage),
    ...outcomeOf(span, httpStatus),
  }
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null))
}

/** What the openai package calls an answer with a status of 4xx: the status itself is on no span of its instrumentation. */
const REJECTIONS = new Set([
  'BadRequestError',
  'AuthenticationError',
  'PermissionDeniedError',
  'NotFoundError',
  'ConflictError',
  'UnprocessableEntityError',
  'RateLimitError',
])

function outcomeOf(span: Span, httpStatus: number | null): Partial<RequestColumns> {
  const errorType = textOf(span.attributes, Otel.errorType)
  if (httpStatus !== null && httpStatus >= 400 && httpStatus < 500) return { outcome: 'rejected', error_class: `http_${httpStatus}` }
  if (errorType !== null && REJECTIONS.has(errorType)) return { outcome: 'rejected', error_class: errorType }
  if (errorType !== null || span.statusCode === StatusCode.error) return { outcome: 'error', error_class: errorType ?? 'other' }
  return { outcome: 'ok' }
}
