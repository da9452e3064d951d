// What the response says about itself: model, id, usage, finish reasons. Numbers and names only; text of the answer is looked at
// for its presence (src/sdk/delta.ts) and never kept.
import { isObject } from './delta.ts'

export interface ResponseFacts {
  model?: string
  id?: string
  finishReasons: string[]
  inputTokens?: number
  cachedTokens?: number
  outputTokens?: number
  reasoningTokens?: number
  /** The server reported an error inside a stream that began well. */
  failed: boolean
}

export function emptyFacts(): ResponseFacts {
  return { finishReasons: [], failed: false }
}

/** Longest name kept: a model, an id or a finish reason is short, and a hostile one is cut. */
const NAME_LIMIT = 256

/** Adds what one event, or the whole body, says. Later values win. Any JSON value may come. */
export function readFacts(value: unknown, facts: ResponseFacts): void {
  if (!isObject(value)) return
  // The responses API wraps the whole response in its closing event; Anthropic's messages begin with one.
  const nested = isObject(value.response) ? value.response : isObject(value.message) ? value.message : null
  if (nested !== null) readFacts({ ...nested, type: undefined, response: undefined, message: undefined }, facts)
  const model = nameOf(value.model)
  if (model !== undefined) facts.model = model
  const id = nameOf(value.id)
  if (id !== undefined) facts.id = id
  readFinish(value, facts)
  if (isObject(value.usage)) readUsage(value.usage, facts)
  // SGLang's native stream.
  if (isObject(value.meta_info)) {
    const { finish_reason: finish } = value.meta_info
    addFinish(isObject(finish) ? finish.type : finish, facts)
    readUsage(value.meta_info, facts)
  }
  if ((isObject(value.error) || typeof value.error === 'string' || value.type === 'error') && value.choices === undefined)
    facts.failed = true
}

function readFinish(value: Record<string, unknown>, facts: ResponseFacts): void {
  if (Array.isArray(value.choices)) {
    for (const choice of value.choices) if (isObject(choice)) addFinish(choice.finish_reason, facts)
  }
  if (value.object === 'response' && typeof value.status === 'string' && value.status !== 'in_progress' && value.status !== 'queued') {
    const incomplete = isObject(value.incomplete_details) ? nameOf(value.incomplete_details.reason) : undefined
    addFinish(incomplete ?? value.status, facts)
    if (value.status === 'failed') facts.failed = true
  }
  addFinish(value.stop_reason, facts)
  if (isObject(value.delta)) addFinish(value.delta.stop_reason, facts)
}

function addFinish(value: unknown, facts: ResponseFacts): void {
  const reason = nameOf(value)
  if (reason !== undefined && facts.finishReasons.length < 16) facts.finishReasons.push(reason)
}

/** Names of the chat completions API, of the responses API and messages, and DeepSeek's own for cached tokens. */
function readUsage(usage: Record<string, unknown>, facts: ResponseFacts): void {
  const input = countOf(usage.prompt_tokens) ?? inputOf(usage)
  const output = countOf(usage.completion_tokens) ?? countOf(usage.output_tokens)
  const cached =
    countOf(detail(usage.prompt_tokens_details, 'cached_tokens')) ??
    countOf(detail(usage.input_tokens_details, 'cached_tokens')) ??
    countOf(usage.cached_tokens) ??
    countOf(usage.prompt_cache_hit_tokens) ??
    countOf(usage.cache_read_input_tokens)
  const reasoning =
    countOf(detail(usage.completion_tokens_details, 'reasoning_tokens')) ??
    countOf(detail(usage.output_tokens_details, 'reasoning_tokens')) ??
    countOf(usage.reasoning_tokens)
  if (input !== undefined) facts.inputTokens = input
  if (output !== undefined) facts.outputTokens = output
  if (cached !== undefined) facts.cachedTokens = cached
  if (reasoning !== undefined) facts.reasoningTokens = reasoning
}

/** Anthropic's `input_tokens` leaves cached ones out; the GenAI conventions want them in. */
function inputOf(usage: Record<string, unknown>): number | undefined {
  const input = countOf(usage.input_tokens)
  if (input === undefined) return undefined
  return input + (countOf(usage.cache_read_input_tokens) ?? 0) + (countOf(usage.cache_creation_input_tokens) ?? 0)
}

function detail(details: unknown, key: string): unknown {
  return isObject(details) ? details[key] : undefined
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, NAME_LIMIT) : undefined
}
