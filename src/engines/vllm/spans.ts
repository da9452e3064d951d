// vLLM's one retrospective span per sequence, `llm_request`, as an observation. Its queue, prefill and decode times are read from
// one monotonic clock of the engine core and taken as they are; the rest until the first token is a residual on the API server's
// clock: render, tokenize, hand-over and the wait for the running step (vllm/v1/metrics/stats.py, vllm/v1/engine/output_processor.py).
import { GenAi, Longpole } from '@longpole/model/conventions/attributes'
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import { clockOf, countOf, firstTextOf, placeOf, secondsOf, textOf } from '../attributes.ts'
import { between, earliest, latest, nanos, phase } from '../durations.ts'

export const VLLM = 'vllm'
const REQUEST_SPAN = 'llm_request'

/** Attribute names, unchanged from V0 (2024) to 0.32.0. */
const Attribute = {
  requestId: 'gen_ai.request.id',
  timeToFirstToken: 'gen_ai.latency.time_to_first_token',
  e2e: 'gen_ai.latency.e2e',
  queue: 'gen_ai.latency.time_in_queue',
  prefill: 'gen_ai.latency.time_in_model_prefill',
  decode: 'gen_ai.latency.time_in_model_decode',
  promptTokens: 'gen_ai.usage.prompt_tokens',
  completionTokens: 'gen_ai.usage.completion_tokens',
  cachedTokens: 'gen_ai.usage.cached_tokens',
} as const

export const VllmSource = {
  residual: 'vllm llm_request time_to_first_token - time_in_queue - time_in_model_prefill',
  queue: `vllm llm_request ${Attribute.queue}`,
  prefill: `vllm llm_request ${Attribute.prefill}`,
  decode: `vllm llm_request ${Attribute.decode}`,
  decodeOfMany: `vllm llm_request ${Attribute.decode}, earliest first token to latest last token`,
} as const

/** Everything a vLLM process sends, start-up spans included: scope `vllm.tracing.otel` (0.32), `vllm.llm_engine` before. */
export function claims(span: Span): boolean {
  return span.scopeName.startsWith('vllm.') || 'vllm.process_id' in span.resource
}

export function observe(spans: readonly Span[]): Observation[] {
  const requests = new Map<string, Sequence[]>()
  for (const span of spans) {
    if (span.name !== REQUEST_SPAN) continue
    const sequence = readSequence(span)
    const key = `${span.parentSpanId}\n${sequence.baseId ?? span.spanId}`
    const siblings = requests.get(key)
    if (siblings) siblings.push(sequence)
    else requests.set(key, [sequence])
  }
  return [...requests.values()].map(observeRequest)
}

interface Sequence {
  span: Span
  requestId: string | null
  /** The same for all sequences of one HTTP request (`n` > 1, several prompts). */
  baseId: string | null
  timeToFirstToken: number | null
  decode: number | null
}

function readSequence(span: Span): Sequence {
  const requestId = textOf(span.attributes, Attribute.requestId)
  return {
    span,
    requestId,
    baseId: requestId === null ? null : requestId.replace(/^(cmpl-.+)-\d+$/, '$1'),
    timeToFirstToken: secondsOf(span.attributes, Attribute.timeToFirstToken),
    decode: secondsOf(span.attributes, Attribute.decode),
  }
}

/** Sequences of one HTTP request: queue and prefill of the earliest first token, decode until the last token of any. */
function observeRequest(sequences: readonly Sequence[]): Observation {
  const first = sequences.reduce((best, next) => (firstTokenAt(next) < firstTokenAt(best) ? next : best))
  const { span, timeToFirstToken } = first
  const queue = secondsOf(span.attributes, Attribute.queue)
  const prefill = secondsOf(span.attributes, Attribute.prefill)
  const taken = timeToFirstToken === null ? undefined : span.startUnixNano + nanos(timeToFirstToken)
  const endUnixNano = latest(sequences.map((sequence) => sequence.span.endUnixNano)) ?? span.endUnixNano
  const many = sequences.length > 1
  const decode = many ? between(taken, latest(sequences.map(lastTokenAt))) : first.decode
  const residual = residualOf(first, { queue, prefill, decode, endUnixNano })
  // In the core, on the API server's clock: not when that server took it up.
  const firstToken = residual === null ? taken : span.startUnixNano + nanos(Math.max(0, residual) + (queue ?? 0) + (prefill ?? 0))
  const lastToken = firstToken === undefined || decode === null ? undefined : firstToken + nanos(decode)
  const pool = textOf(span.resource, Longpole.pool)
  return {
    vantage: 'engine',
    role: pool === 'prefill' || pool === 'decode' ? 'hop' : 'attempt',
    traceId: span.traceId,
    spanId: (sequences[0] as Sequence).span.spanId,
    parentSpanId: span.parentSpanId,
    spanIds: sequences.map((sequence) => sequence.span.spanId),
    requestIds: [...new Set(sequences.flatMap(idsOf))],
    startUnixNano: earliest(sequences.map((sequence) => sequence.span.startUnixNano)) ?? span.startUnixNano,
    endUnixNano,
    clock: clockOf(span),
    boundaries: { received: span.startUnixNano, firstToken, lastToken },
    phases: [
      ...phase('engine.tokenize', residual, VllmSource.residual, 'upper_bound'),
      ...phase(pool === 'decode' ? 'engine.queue_or_kv' : 'engine.queue', queue, VllmSource.queue, 'measured'),
      ...phase('engine.prefill', prefill, VllmSource.prefill, 'measured'),
      ...phase('engine.decode', decode, many ? VllmSource.decodeOfMany : VllmSource.decode, 'measured'),
    ],
    overlays: [],
    columns: columnsOf(sequences, first),
  }
}

/**
 * Arrival → first token without queue and prefill. Where the API server took the first token up late, the time to first token holds
 * that delay too, and decode (another clock) overlaps it: what the whole request leaves beside the core's times is the tighter bound.
 */
function residualOf(
  { span, timeToFirstToken }: Sequence,
  { queue, prefill, decode, endUnixNano }: { queue: number | null; prefill: number | null; decode: number | null; endUnixNano: bigint },
): number | null {
  if (timeToFirstToken === null || queue === null || prefill === null) return null
  const whole = Number(endUnixNano - span.startUnixNano) / 1e9
  return Math.min(timeToFirstToken - queue - prefill, whole - queue - prefill - (decode ?? 0))
}

function firstTokenAt({ span, timeToFirstToken }: Sequence): bigint {
  return timeToFirstToken === null ? span.endUnixNano : span.startUnixNano + nanos(timeToFirstToken)
}

function lastTokenAt({ span, timeToFirstToken, decode }: Sequence): bigint | undefined {
  return timeToFirstToken === null || decode === null ? undefined : span.startUnixNano + nanos(timeToFirstToken + decode)
}

/** The engine's own ids, and `x-request-id` out of them: `chatcmpl-<id>`, `cmpl-<id>-<index>`. */
export function requestIds(span: Span): string[] {
  return span.name === REQUEST_SPAN ? idsOf(readSequence(span)) : []
}

function idsOf({ requestId, baseId }: Sequence): string[] {
  return requestId === null || baseId === null ? [] : [baseId, requestId, callersIdOf(baseId)]
}

function callersIdOf(baseId: string): string {
  return baseId.replace(/^(chatcmpl|cmpl)-/, '')
}

function columnsOf(sequences: readonly Sequence[], first: Sequence): Observation['columns'] {
  const outputs = sequences.map(({ span }) => countOf(span.attributes, Attribute.completionTokens))
  const prompts = new Map(sequences.map(({ span, requestId }) => [requestId, countOf(span.attributes, Attribute.promptTokens)]))
  const finish = firstTextOf(first.span.attributes, GenAi.responseFinishReasons)
  return {
    ...placeOf(first.span.resource),
    engine: VLLM,
    ...(first.baseId === null ? {} : { request_id: callersIdOf(first.baseId) }),
    prompt_tokens: sumOrNull([...prompts.values()]),
    output_tokens: sumOrNull(outputs),
    cached_tokens: countOf(first.span.attributes, Attribute.cachedTokens),
    max_tokens: countOf(first.span.attributes, GenAi.requestMaxTokens),
    ...(finish === null ? {} : { finish_reason: finish }),
  }
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  return values.some((value) => value === null) ? null : values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}
