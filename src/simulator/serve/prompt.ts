// Reads an OpenAI-style request body as an engine would: what model, how many tokens, which prefix blocks, streamed or not.
import { hashText } from '../core/random.ts'
import { BLOCK_TOKENS } from '../core/request.ts'

const CHARACTERS_PER_TOKEN = 4
/** Tokens that a chat template adds for each message. */
const TEMPLATE_TOKENS = 4
const DEFAULT_MAX_TOKENS = 256

export interface ChatPrompt {
  model: string
  promptTokens: number
  /** Ids of the full prefix blocks: equal text so far = equal id. */
  blocks: number[]
  maxTokens: number
  /** Goes on to `maxTokens` whatever happens. */
  ignoreEos: boolean
  stream: boolean
  includeUsage: boolean
}

/** A request that the engine refuses, in words like the engine's own. */
export class PromptError extends Error {
  override readonly name = 'PromptError'
  readonly param: string

  constructor(param: string, message: string) {
    super(message)
    this.param = param
  }
}

export function readPrompt(body: unknown, isChat: boolean): ChatPrompt {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new PromptError('body', 'Input should be a valid dictionary')
  const fields = body as Record<string, unknown>
  const text = isChat ? messagesText(fields.messages) : promptText(fields.prompt)
  if (typeof fields.n === 'number' && fields.n > 1) throw new PromptError('n', `one answer a request is simulated, got n=${fields.n}.`)
  const temperature = fields.temperature
  if (typeof temperature === 'number' && temperature < 0) {
    const shown = temperature.toFixed(1)
    throw new PromptError('temperature', `temperature must be non-negative, got ${shown}. (parameter=temperature, value=${shown})`)
  }
  const options = fields.stream_options as { include_usage?: unknown } | null | undefined
  return {
    model: typeof fields.model === 'string' ? fields.model : '',
    ...measure(text, isChat ? TEMPLATE_TOKENS * (fields.messages as unknown[]).length : 0),
    maxTokens: readMaxTokens(fields.max_completion_tokens ?? fields.max_tokens),
    ignoreEos: fields.ignore_eos === true,
    stream: fields.stream === true,
    includeUsage: options?.include_usage === true,
  }
}

function readMaxTokens(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_MAX_TOKENS
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value
  throw new PromptError('max_tokens', `max_tokens must be at least 1, got ${String(value)}.`)
}

function messagesText(messages: unknown): string {
  if (!Array.isArray(messages) || messages.length === 0) throw new PromptError('messages', 'Field required: messages')
  return messages.map((message) => `<|${String(message?.role)}|>${contentText(message?.content)}`).join('')
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('')
}

/** A text, token ids, or one of either in a list. */
function promptText(prompt: unknown): string {
  if (typeof prompt === 'string') return prompt
  if (Array.isArray(prompt) && prompt.length > 0) {
    if (prompt.every((token) => Number.isInteger(token) && token >= 0)) return prompt.map(tokenCharacters).join('')
    if (prompt.length === 1) return promptText(prompt[0])
    throw new PromptError('prompt', `one prompt a request is simulated, got a list of ${prompt.length}.`)
  }
  throw new PromptError('prompt', 'Either prompt or prompt_embeds must be provided and non-empty.')
}

/** As many characters for every token id as a token of text is taken to have. */
function tokenCharacters(token: number): string {
  return token.toString(36).padStart(CHARACTERS_PER_TOKEN, '0').slice(-CHARACTERS_PER_TOKEN)
}

function measure(text: string, templateTokens: number): { promptTokens: number; blocks: number[] } {
  const promptTokens = Math.max(1, Math.ceil(text.length / CHARACTERS_PER_TOKEN) + templateTokens)
  const blockLength = BLOCK_TOKENS * CHARACTERS_PER_TOKEN
  const blocks: number[] = []
  let high = 1
  let low = 2
  for (let end = blockLength; end <= text.length; end += blockLength) {
    const block = text.slice(end - blockLength, end)
    high = hashText(high, block)
    low = hashText(low, block)
    // 52 bits of the text so far; the upper bits keep clear of the ids that the fleet's own traffic uses.
    blocks.push(2 ** 52 + (high >>> 12) * 2 ** 31 + (low >>> 1))
  }
  return { promptTokens, blocks }
}

const WORDS = 'the of and long pole in a fleet waits for tokens that arrive one by one while queues grow and caches forget'.split(' ')

/** Text of the n-th token of an answer. */
export function tokenText(seed: number, index: number): string {
  return `${index === 0 ? '' : ' '}${WORDS[(seed + index * 7) % WORDS.length]}`
}
