// What a request asks for, read from the first and last kilobytes of its JSON: a prompt of 100 KB in between is never looked at.
// Only keys of the top level count. A quoted key cannot occur inside a JSON string, whose quotes are escaped.
import type { RequestFields } from './observation.ts'

export const HEAD_BYTES = 8_192
export const TAIL_BYTES = 4_096
const MAX_TEXT = 256
/** Occurrences of one key that are looked at: a body that repeats a key a thousand times costs no more. */
const MAX_TRIES = 8

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c

const WANTED = [
  'model',
  'stream',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'tools',
  'response_format',
  'guided_json',
  'structured_outputs',
] as const
type Wanted = (typeof WANTED)[number]
type Found = Partial<Record<Wanted, string>>

/** `tail` is empty where `head` is the whole body; else the last bytes of the body, which may overlap the head. */
export function readRequestFields(head: Buffer, tail: Buffer): RequestFields {
  const found = readHead(head)
  if (tail.length > 0) readTail(tail, found)
  const number = (...keys: Wanted[]) => keys.map((key) => toCount(found[key])).find((value) => value !== null) ?? null
  return {
    model: toText(found.model),
    stream: found.stream === undefined ? null : found.stream.startsWith('true') ? true : found.stream.startsWith('false') ? false : null,
    maxTokens: number('max_completion_tokens', 'max_tokens', 'max_output_tokens'),
    n: number('n'),
    tools: found.tools !== undefined && /^\[\s*[^\s\]]/.test(found.tools),
    jsonOutput: /"json/.test(found.response_format ?? '') || isGiven(found.guided_json) || isGiven(found.structured_outputs),
  }
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && !value.startsWith('null')
}

function toText(value: string | undefined): string | null {
  if (value === undefined || !value.startsWith('"')) return null
  const end = /^"((?:[^"\\]|\\.)*)"/.exec(value)
  if (end === null) return null
  try {
    return JSON.parse(end[0]) as string
  } catch {
    return null
  }
}

function toCount(value: string | undefined): number | null {
  const match = value === undefined ? null : /^(\d{1,15})(?:[\s,}]|$)/.exec(value)
  return match === null ? null : Number(match[1])
}

/** Top-level keys from the begin of the object on. Values are the text that follows, cut at MAX_TEXT. */
function readHead(head: Buffer): Found {
  const found: Found = {}
  let at = skipSpace(head, 0)
  if (head[at] !== 0x7b) return found
  at = skipSpace(head, at + 1)
  while (head[at] === QUOTE) {
    const keyEnd = endOfString(head, at)
    if (keyEnd === -1) return found
    const key = head.toString('latin1', at + 1, Math.min(keyEnd - 1, at + 1 + 32)) as Wanted
    at = skipSpace(head, keyEnd)
    if (head[at] !== COLON) return found
    at = skipSpace(head, at + 1)
    const valueAt = at
    const opens = head[at] === 0x5b || head[at] === 0x7b
    at = endOfValue(head, at)
    // A list or object is known by its begin; a number that the end of the head may have cut is not known.
    if (WANTED.includes(key) && (at !== -1 || opens)) found[key] = head.toString('utf8', valueAt, valueAt + MAX_TEXT)
    if (at === -1) return found
    at = skipSpace(head, at)
    if (head[at] !== COMMA) return found
    at = skipSpace(head, at + 1)
  }
  return found
}

/** Top-level keys near the end: those from which the rest of the bytes closes exactly one object. */
function readTail(tail: Buffer, found: Found): void {
  for (const key of WANTED) {
    if (found[key] !== undefined) continue
    const quoted = `"${key}"`
    let tries = MAX_TRIES
    for (let at = tail.lastIndexOf(quoted); at >= 0 && tries > 0; at = at === 0 ? -1 : tail.lastIndexOf(quoted, at - 1)) {
      tries--
      const colonAt = skipSpace(tail, at + quoted.length)
      if (tail[colonAt] !== COLON || !closesOneObject(tail, colonAt + 1)) continue
      const valueAt = skipSpace(tail, colonAt + 1)
      found[key] = tail.toString('utf8', valueAt, valueAt + MAX_TEXT)
      break
    }
  }
}

function closesOneObject(buffer: Buffer, from: number): boolean {
  let depth = 0
  for (let at = from; at < buffer.length; at++) {
    const byte = buffer[at] as number
    if (byte === QUOTE) {
      at = endOfString(buffer, at) - 1
      if (at < 0) return false
    } else if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) {
      depth--
      if (depth < 0) return byte === 0x7d && skipSpace(buffer, at + 1) === buffer.length
    }
  }
  return false
}

/** Position behind the string that begins at `at`, or -1. */
function endOfString(buffer: Buffer, at: number): number {
  for (let quote = buffer.indexOf(QUOTE, at + 1); quote !== -1; quote = buffer.indexOf(QUOTE, quote + 1)) {
    let before = quote - 1
    while (buffer[before] === BACKSLASH) before--
    if ((quote - before) % 2 === 1) return quote + 1
  }
  return -1
}

function endOfValue(buffer: Buffer, from: number): number {
  let depth = 0
  for (let at = from; at < buffer.length; at++) {
    const byte = buffer[at] as number
    if (byte === QUOTE) {
      at = endOfString(buffer, at) - 1
      if (at < 0) return -1
    } else if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) {
      if (depth === 0) return at
      depth--
    } else if (byte === COMMA && depth === 0) return at
  }
  return -1
}

function skipSpace(buffer: Buffer, from: number): number {
  let at = from
  while (buffer[at] === 0x20 || buffer[at] === 0x0a || buffer[at] === 0x0d || buffer[at] === 0x09) at++
  return at
}
