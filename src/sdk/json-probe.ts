// Cheap questions about the bytes of one event, asked before (and mostly instead of) parsing it.
import { isObject } from './delta.ts'

const encoder = new TextEncoder()
/** Keys of a delta that hold answer text or a tool call, and the type of the responses API's and messages' answer events. */
const ANSWER_KEYS = ['"content"', '"tool_calls"', '"function_call"', '"refusal"', '"text"', '"partial_json"'].map((key) =>
  encoder.encode(key),
)
const ANSWER_TYPES = ['.output_text.delta', '_call_arguments.delta', '.output_item.added', 'content_block_start'].map((key) =>
  encoder.encode(key),
)

const QUOTE = 0x22
const COLON = 0x3a
const SPACE = 0x20
const BACKSLASH = 0x5c

/** Whether the event may hold the first answer token: a filled value behind an answer key. False positives are parsed and rejected. */
export function mayBeAnswer(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte === QUOTE && bytes[at - 1] !== BACKSLASH) {
      for (const key of ANSWER_KEYS) if (matches(bytes, at, end, key) && isFilledValue(bytes, at + key.length, end)) return true
    } else if (byte === 0x2e || byte === 0x5f || byte === 0x63) {
      for (const type of ANSWER_TYPES) if (matches(bytes, at, end, type)) return true
    }
  }
  return false
}

function matches(bytes: Uint8Array, at: number, end: number, key: Uint8Array): boolean {
  if (at + key.length > end) return false
  for (let index = 1; index < key.length; index++) if (bytes[at + index] !== key[index]) return false
  return bytes[at] === key[0]
}

/** Behind a key: `: "x`, `: {` or `: [` are filled; `null`, `""` and `[]` are not. */
function isFilledValue(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from
  while (at < end && (bytes[at] === COLON || bytes[at] === SPACE)) at++
  const opening = bytes[at]
  if (opening === QUOTE) return bytes[at + 1] !== QUOTE
  if (opening === 0x5b) return bytes[at + 1] !== 0x5d
  return opening === 0x7b
}

/** `data: [DONE]`, the end mark of OpenAI's streams. */
export function isEndMark(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 11 || end - start > 64) return false
  let at = start + 5
  while (bytes[at] === SPACE) at++
  return bytes[at] === 0x5b && bytes[at + 1] === 0x44 && bytes[at + 2] === 0x4f && bytes[at + 3] === 0x4e && bytes[at + 4] === 0x45
}

/** Whether a parsed event closes a stream of the responses or messages API, or llama.cpp's native one. */
export function isClosing(value: unknown): boolean {
  return isObject(value) && (value.stop === true || (typeof value.type === 'string' && CLOSING.has(value.type)))
}
const CLOSING = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled', 'message_stop'])
