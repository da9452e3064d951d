// The end of a response → usage, finish reasons, id, model, error: read from its last kilobytes by the telemetry worker, the only place
// where anything of a response is parsed. Nothing of its text is kept.
import type { FinishedRequest } from '../receivers/proxy/observation.ts'

export interface ResponseDetails {
  id: string | null
  model: string | null
  /** vLLM: version and a hash of model and settings. */
  systemFingerprint: string | null
  finishReasons: string[]
  promptTokens: number | null
  cachedTokens: number | null
  outputTokens: number | null
  reasoningTokens: number | null
  /** An error event in a stream that had begun. */
  streamError: boolean
}

type Json = { [key: string]: unknown }

export function readResponse({ eventStream, head, tail }: Pick<FinishedRequest, 'eventStream' | 'head' | 'tail'>): ResponseDetails {
  const details: ResponseDetails = {
    id: null,
    model: null,
    systemFingerprint: null,
    finishReasons: [],
    promptTokens: null,
    cachedTokens: null,
    outputTokens: null,
    reasoningTokens: null,
    streamError: false,
  }
  if (tail === null) return details
  const text = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength).toString('utf8')
  if (eventStream) readEvents(text, details)
  else readJson(text, head, details)
  if (details.outputTokens === null) readUsage(lastObject(text, '"usage"'), details)
  return details
}

/** Events that are looked at, from the last one backwards: usage is in the last, the finish reason in it or just in front of it. */
const LAST_EVENTS = 6

function readEvents(text: string, details: ResponseDetails): void {
  const lines = text.split(/\r\n|\n|\r/)
  let left = LAST_EVENTS
  for (let index = lines.length - 1; index >= 0 && left > 0; index--) {
    const data = /^data: ?(\{.*)$/.exec(lines[index] as string)?.[1]
    // The first line may be the rest of an event that began before the tail.
    const event = data === undefined ? null : parseObject(data)
    if (event === null) continue
    left--
    readMessage(event, details, true)
  }
}

function readJson(text: string, head: Uint8Array | null, details: ResponseDetails): void {
  const whole = parseObject(text)
  if (whole !== null) {
    readMessage(whole, details, false)
    return
  }
  const begin = head === null ? '' : Buffer.from(head).toString('utf8')
  details.id = /^\s*\{(?:.{0,200}?,)?\s*"id"\s*:\s*"([^"\\]{1,200})"/s.exec(begin)?.[1] ?? null
  details.model = /"model"\s*:\s*"([^"\\]{1,200})"/.exec(begin)?.[1] ?? null
  const reasons = [...text.matchAll(/"finish_reason"\s*:\s*"([a-z_]{1,40})"/g)].map((match) => match[1] as string)
  details.finishReasons = [...new Set(reasons)]
}

/** Adds what one event or body says and a later one has not, in the dialects of OpenAI, Anthropic, SGLang and llama.cpp. */
function readMessage(message: Json, details: ResponseDetails, isEvent: boolean): void {
  const type = text(message.type)
  const response = object(message.response) ?? object(message.message) ?? message
  details.id ??= text(response.id) ?? text(object(message.meta_info)?.id)
  details.model ??= text(response.model)
  details.systemFingerprint ??= text(response.system_fingerprint)
  if (isEvent && (type === 'error' || type === 'response.failed' || isError(message.error))) details.streamError = true
  for (const reason of reasonsOf(message, response)) if (!details.finishReasons.includes(reason)) details.finishReasons.push(reason)
  readUsage(object(response.usage) ?? object(message.usage) ?? object(message.meta_info), details)
}

function isError(value: unknown): boolean {
  return object(value) !== null || (typeof value === 'string' && value !== '')
}

function reasonsOf(message: Json, response: Json): string[] {
  const choices = Array.isArray(message.choices) ? message.choices : []
  const found: unknown[] = choices.map((choice) => object(choice)?.finish_reason)
  found.push(response.stop_reason, object(message.delta)?.stop_reason)
  found.push(object(response.incomplete_details)?.reason, response.status === 'completed' ? 'stop' : null)
  found.push(object(object(message.meta_info)?.finish_reason)?.type)
  return found.flatMap((value) => (typeof value === 'string' && /^[a-z_]{1,40}$/.test(value) ? [value] : []))
}

function readUsage(usage: Json | null, details: ResponseDetails): void {
  if (usage === null) return
  const input = object(usage.prompt_tokens_details) ?? object(usage.input_tokens_details)
  const output = object(usage.completion_tokens_details) ?? object(usage.output_tokens_details)
  details.promptTokens ??= count(usage.prompt_tokens) ?? count(usage.input_tokens)
  details.outputTokens ??= count(usage.completion_tokens) ?? count(usage.output_tokens)
  details.cachedTokens ??=
    count(input?.cached_tokens) ??
    count(usage.cached_tokens) ??
    count(usage.cache_read_input_tokens) ??
    count(usage.prompt_cache_hit_tokens)
  details.reasoningTokens ??= count(output?.reasoning_tokens) ?? count(usage.reasoning_tokens)
}

/** The last whole object behind `key`, for a body or event that is longer than the tail. */
function lastObject(textOfTail: string, key: string): Json | null {
  const at = textOfTail.lastIndexOf(key)
  if (at === -1) return null
  const open = /^\s*:\s*\{/.exec(textOfTail.slice(at + key.length))?.[0]
  if (open === undefined) return null
  const start = at + key.length + open.length - 1
  let depth = 0
  for (let index = start; index < textOfTail.length; index++) {
    const character = textOfTail[index]
    if (character === '{') depth++
    else if (character === '}' && --depth === 0) return parseObject(textOfTail.slice(start, index + 1))
  }
  return null
}

function parseObject(source: string): Json | null {
  try {
    return object(JSON.parse(source))
  } catch {
    return null
  }
}

function object(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= 256 ? value : null
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}
