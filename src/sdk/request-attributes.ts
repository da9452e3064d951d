// Turns what was seen into span attributes. The table in README.md is the contract; src/engines/longpole reads it back.
import { GenAi, Longpole, Otel } from '@longpole/model/conventions/attributes'
import type { Attributes } from '@opentelemetry/api'
import type { ExchangeResult } from './exchange.ts'
import type { Ending } from './outcome.ts'
import type { RequestFacts } from './request-facts.ts'
import type { ResponseFacts } from './response-facts.ts'
import type { StreamTiming } from './stream-timer.ts'

export interface Endpoint {
  address: string
  port: number | undefined
  path: string
  method: string
}

export function factAttributes(facts: RequestFacts): Attributes {
  const attributes: Attributes = { [GenAi.operationName]: facts.operation }
  if (facts.stream !== undefined) attributes[GenAi.requestStream] = facts.stream
  put(attributes, GenAi.requestModel, facts.model)
  put(attributes, GenAi.requestMaxTokens, facts.maxTokens)
  return attributes
}

export function endpointAttributes(endpoint: Endpoint): Attributes {
  const attributes: Attributes = { [Otel.serverAddress]: endpoint.address }
  put(attributes, Otel.serverPort, endpoint.port)
  return attributes
}

export function endingAttributes(ending: Ending): Attributes {
  const attributes: Attributes = { [Longpole.outcome]: ending.outcome }
  put(attributes, Longpole.errorClass, ending.errorClass)
  put(attributes, Otel.errorType, ending.errorClass)
  return attributes
}

/** Boundary stamps in seconds from `originMs`, the start of the span that carries them. */
export function stampAttributes(result: Pick<ExchangeResult, 'headersMs' | 'timing'>, originMs: number): Attributes {
  const attributes: Attributes = {}
  const stamp = (name: string, atMs: number | undefined): void => put(attributes, name, seconds(atMs, originMs))
  stamp(Longpole.headersAt, result.headersMs)
  const { timing } = result
  if (timing === undefined) return attributes
  stamp(Longpole.firstByteAt, timing.firstByteMs)
  if (timing.kind !== 'events') return attributes
  stamp(Longpole.firstTokenAt, timing.firstTokenMs)
  stamp(Longpole.firstReasoningAt, timing.firstReasoningMs)
  stamp(Longpole.firstAnswerAt, timing.firstAnswerMs)
  stamp(Longpole.lastTokenAt, timing.lastTokenMs)
  return attributes
}

/** Token timing in bounded space, on the request span only. */
export function gapAttributes(timing: StreamTiming, originMs: number): Attributes {
  const attributes: Attributes = {}
  put(attributes, GenAi.responseTimeToFirstChunk, seconds(timing.firstChunkMs, originMs))
  if (timing.chunks === 0) return attributes
  attributes[Longpole.chunks] = timing.chunks
  const worst = timing.gaps.worst()
  if (worst.length === 0) return attributes
  attributes[Longpole.gapHistogram] = timing.gaps.histogram().map(([index, count]) => `${index}:${count}`)
  attributes[Longpole.gapMax] = (worst[0] as { gapMs: number }).gapMs / 1000
  attributes[Longpole.gapWorst] = worst.map(({ endMs, gapMs }) => `${fixed((endMs - originMs) / 1000)}:${fixed(gapMs / 1000)}`)
  return attributes
}

export function responseAttributes(facts: ResponseFacts): Attributes {
  const attributes: Attributes = {}
  put(attributes, GenAi.responseModel, facts.model)
  put(attributes, GenAi.responseId, facts.id)
  if (facts.finishReasons.length > 0) attributes[GenAi.responseFinishReasons] = [...facts.finishReasons]
  put(attributes, GenAi.usageInputTokens, facts.inputTokens)
  put(attributes, GenAi.usageOutputTokens, facts.outputTokens)
  put(attributes, GenAi.usageCacheReadInputTokens, facts.cachedTokens)
  put(attributes, GenAi.usageReasoningOutputTokens, facts.reasoningTokens)
  return attributes
}

export function outputMode(facts: RequestFacts, timing: StreamTiming): string {
  if (timing.sawTool || timing.facts.finishReasons.some((reason) => reason === 'tool_calls' || reason === 'tool_use')) return 'tool'
  if (facts.jsonMode) return 'json'
  return timing.firstReasoningMs !== undefined || (timing.facts.reasoningTokens ?? 0) > 0 ? 'reasoning' : 'text'
}

function seconds(atMs: number | undefined, originMs: number): number | undefined {
  return atMs === undefined ? undefined : Math.max(0, atMs - originMs) / 1000
}

/** Microseconds are what the clock gives. */
function fixed(value: number): string {
  return value.toFixed(6)
}

function put(attributes: Attributes, name: string, value: string | number | undefined): void {
  if (value !== undefined) attributes[name] = value
}
