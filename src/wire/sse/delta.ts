// Does a streamed event carry a token? Decided by a byte scan, never by JSON.parse: it runs on the thread that moves bytes.
// A key with quotes around it cannot occur inside a JSON string (its quotes would be escaped), so a search for it is exact.

/** Kinds of non-empty deltas, as a bit set. Role-only, empty, usage-only and comment events are `none`. */
export const Delta = { none: 0, reasoning: 1, answer: 2, tool: 4 } as const

const QUOTE = 0x22
const COLON = 0x3a
const BRACKET = 0x5b
const BRACE = 0x7b

/** Keys whose non-empty string value is a delta: OpenAI chat and completions, SGLang, llama.cpp, TGI, Anthropic messages. */
const STRING_KEYS: readonly [Buffer, number][] = [
  [Buffer.from('"content"'), Delta.answer],
  [Buffer.from('"reasoning_content"'), Delta.reasoning],
  [Buffer.from('"reasoning"'), Delta.reasoning],
  [Buffer.from('"text"'), Delta.answer],
  [Buffer.from('"thinking"'), Delta.reasoning],
  [Buffer.from('"partial_json"'), Delta.tool],
  [Buffer.from('"refusal"'), Delta.answer],
]
const CALL_KEYS = [Buffer.from('"tool_calls"'), Buffer.from('"function_call"'), Buffer.from('"content_block"')]
const NAME_KEYS = [Buffer.from('"name"'), Buffer.from('"arguments"')]
const RESPONSES_TYPE = Buffer.from('response.')
const DELTA_KEY = Buffer.from('"delta"')

/** The exact bytes before a token's text, learnt from the first token: later events are settled by one search for them. */
export interface DeltaMarker {
  bytes: Buffer
  kind: number
}

export interface DeltaMatch {
  kinds: number
  /** Null where the dialect has no marker that decides alone. */
  marker: DeltaMarker | null
}

/** Deltas of the event at [start, end). */
export function matchDelta(buffer: Buffer, start: number, end: number): DeltaMatch {
  const event = start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end)
  const type = responsesType(event)
  if (type !== null) return { kinds: responsesDelta(event, type), marker: null }
  let kinds = 0
  let marker: DeltaMarker | null = null
  for (const [key, kind] of STRING_KEYS) {
    const value = findText(event, key)
    if (value === null) continue
    kinds |= kind
    marker ??= { bytes: Buffer.from(event.subarray(value.keyAt, value.textAt)), kind }
  }
  for (const key of CALL_KEYS) {
    const at = findContainer(event, key)
    if (at === -1) continue
    const call = event.subarray(at)
    if (NAME_KEYS.some((name) => findText(call, name) !== null)) kinds |= Delta.tool
  }
  return { kinds, marker }
}

/** The event type of an OpenAI Responses stream (`response.output_text.delta`), or null for other dialects. */
function responsesType(event: Buffer): string | null {
  for (let at = event.indexOf(RESPONSES_TYPE); at !== -1; at = event.indexOf(RESPONSES_TYPE, at + 1)) {
    const before = event.toString('latin1', Math.max(0, at - 10), at)
    if (/(?:"type"\s*:\s*"|event: ?)$/.test(before)) return /^[a-z_.]*/.exec(event.toString('latin1', at, at + 64))?.[0] ?? null
  }
  return null
}

function responsesDelta(event: Buffer, type: string): number {
  if (!type.endsWith('.delta') || findText(event, DELTA_KEY) === null) return Delta.none
  if (type.includes('reasoning')) return Delta.reasoning
  return type.includes('arguments') || type.includes('input') ? Delta.tool : Delta.answer
}

/** First `key: "…"` with a non-empty text. */
function findText(event: Buffer, key: Buffer): { keyAt: number; textAt: number } | null {
  for (let keyAt = event.indexOf(key); keyAt !== -1; keyAt = event.indexOf(key, keyAt + key.length)) {
    const valueAt = afterColon(event, keyAt + key.length)
    if (valueAt !== -1 && event[valueAt] === QUOTE && valueAt + 1 < event.length && event[valueAt + 1] !== QUOTE) {
      return { keyAt, textAt: valueAt + 1 }
    }
  }
  return null
}

/** Position behind `key: [` or `key: {`. */
function findContainer(event: Buffer, key: Buffer): number {
  for (let keyAt = event.indexOf(key); keyAt !== -1; keyAt = event.indexOf(key, keyAt + key.length)) {
    const valueAt = afterColon(event, keyAt + key.length)
    if (valueAt !== -1 && (event[valueAt] === BRACKET || event[valueAt] === BRACE)) return valueAt + 1
  }
  return -1
}

function afterColon(event: Buffer, from: number): number {
  const colonAt = skipSpace(event, from)
  return event[colonAt] === COLON ? skipSpace(event, colonAt + 1) : -1
}

function skipSpace(event: Buffer, from: number): number {
  let at = from
  while (event[at] === 0x20 || event[at] === 0x09) at++
  return at
}
