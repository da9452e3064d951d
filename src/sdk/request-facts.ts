// What a request asks for, read from its address and body: operation, model, streaming, token limit. Large bodies are searched, not
// parsed (a 100 KB prompt would cost 0.4 ms), and nothing of the prompt is kept.
import { isObject } from './delta.ts'

export interface RequestFacts {
  operation: string
  model?: string
  /** Absent where the body could not be read. */
  stream?: boolean
  maxTokens?: number
  jsonMode: boolean
  bodyBytes?: number
}

/** Path endings of the APIs that are traced, with the operation name of the GenAI conventions. Everything else passes untouched. */
const OPERATIONS: readonly (readonly [ending: string, operation: string])[] = [
  ['/chat/completions', 'chat'],
  ['/responses', 'chat'],
  ['/messages', 'chat'],
  ['/completions', 'text_completion'],
  ['/generate', 'text_completion'],
  ['/embeddings', 'embeddings'],
]

export function operationOf(pathname: string): string | undefined {
  const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
  // Messages of a thread are stored, not answered.
  if (/\/threads\/[^/]*\/messages$/.test(path)) return undefined
  return OPERATIONS.find(([ending]) => path.endsWith(ending))?.[1]
}

/** Bodies up to this many characters are parsed. */
const PARSE_LIMIT = 16_384
const NAME_LIMIT = 256

/** `body` as it is given to fetch. A stream or a form is not looked into. */
export function requestFacts(operation: string, body: unknown): RequestFacts {
  const facts: RequestFacts = { operation, jsonMode: false }
  const text = textOf(body)
  if (text === undefined) return facts
  facts.bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : (body as Uint8Array).byteLength
  if (text.length <= PARSE_LIMIT) readParsed(text, facts)
  else search(text, facts)
  return facts
}

function textOf(body: unknown): string | undefined {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  return undefined
}

function readParsed(text: string, facts: RequestFacts): void {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return
  }
  readObject(value, facts)
}

/** From the parsed body, or the options object of a client library. */
export function readObject(value: unknown, facts: RequestFacts): void {
  if (!isObject(value)) return
  if (typeof value.model === 'string') facts.model = value.model.slice(0, NAME_LIMIT)
  facts.stream = value.stream === true
  const limit = value.max_completion_tokens ?? value.max_tokens ?? value.max_output_tokens
  if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0) facts.maxTokens = limit
  const format = isObject(value.response_format) ? value.response_format.type : undefined
  facts.jsonMode = format === 'json_object' || format === 'json_schema'
}

/** Quotes inside JSON strings are escaped, so that `"model":` can only be a key; the prompt cannot imitate it. */
function search(text: string, facts: RequestFacts): void {
  const model = /"model"\s*:\s*"([^"\\]{1,256})"/.exec(text)?.[1]
  if (model !== undefined) facts.model = model
  facts.stream = /"stream"\s*:\s*true/.test(text)
  const limit = /"max_(?:completion_|output_)?tokens"\s*:\s*(\d{1,9})/.exec(text)?.[1]
  if (limit !== undefined) facts.maxTokens = Number(limit)
  facts.jsonMode = /"response_format"\s*:\s*\{\s*"type"\s*:\s*"json_/.test(text)
}
