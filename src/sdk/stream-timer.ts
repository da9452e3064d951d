// Times one response body: first byte, first reasoning and answer token, last token, the gaps between chunks, and what the body
// says about itself. After the first token an event costs one search for its end and one stamp; only the last few are parsed.
import { Delta, deltaOf } from './delta.ts'
import { createEventScanner, dataOf, type EventScanner } from './event-scanner.ts'
import { createGapSketch, type GapSketch } from './gap-sketch.ts'
import { isClosing, isEndMark, mayBeAnswer } from './json-probe.ts'
import { emptyFacts, type ResponseFacts, readFacts } from './response-facts.ts'

/** `events`: server-sent events. `document`: one JSON body. `opaque`: timed, never looked into. */
export type BodyKind = 'events' | 'document' | 'opaque'

/** Stamps are monotonic milliseconds; absent means it did not come. */
export interface StreamTiming {
  readonly kind: BodyKind
  firstByteMs?: number
  /** First event with data, a role-only one too. */
  firstChunkMs?: number
  firstTokenMs?: number
  firstReasoningMs?: number
  firstAnswerMs?: number
  lastTokenMs?: number
  /** Events from the first token to the last. */
  chunks: number
  bytes: number
  gaps: GapSketch
  facts: ResponseFacts
  sawTool: boolean
  /** The stream said that it is complete: `[DONE]`, a finish reason, a closing event. Documents: the body is whole JSON. */
  ended: boolean
  /** At least one event had a shape we know, so that a missing end mark means something. */
  known: boolean
}

/** Events at the end that may carry no token: finish, usage, and the closing events of the responses API. A power of two. */
const TAIL = 8
/** Largest document, and largest single event, that is parsed. */
const PARSE_LIMIT = 1 << 20

export class StreamTimer {
  readonly #timing: StreamTiming
  readonly #kind: BodyKind
  readonly #scanner: EventScanner | null
  #document: Uint8Array[] = []
  #atMs = 0
  #doneMark = false
  // The last TAIL events not yet counted as chunks, as parallel rings: no allocation for an event.
  readonly #tailBytes: (Uint8Array | null)[] = new Array(TAIL).fill(null)
  readonly #tailStart = new Int32Array(TAIL)
  readonly #tailEnd = new Int32Array(TAIL)
  readonly #tailMs = new Float64Array(TAIL)
  #tailFirst = 0
  #tailCount = 0
  readonly #sink = (bytes: Uint8Array, start: number, end: number): void => this.#event(bytes, start, end)

  constructor(kind: BodyKind) {
    this.#kind = kind
    this.#timing = { kind, chunks: 0, bytes: 0, gaps: createGapSketch(), facts: emptyFacts(), sawTool: false, ended: false, known: false }
    this.#scanner = kind === 'events' ? createEventScanner(PARSE_LIMIT) : null
  }

  /** What is known so far; complete after `finish`. */
  get timing(): Readonly<StreamTiming> {
    return this.#timing
  }

  /** Body bytes that arrived at `atMs`. They must not be written to afterwards. */
  observe(bytes: Uint8Array, atMs: number): void {
    const timing = this.#timing
    if (timing.firstByteMs === undefined && bytes.length > 0) timing.firstByteMs = atMs
    timing.bytes += bytes.length
    this.#atMs = atMs
    if (this.#scanner !== null) this.#scanner.push(bytes, this.#sink)
    else if (this.#kind === 'document' && timing.bytes <= PARSE_LIMIT) this.#document.push(bytes)
  }

  /** The body is over, however it ended. */
  finish(): StreamTiming {
    if (this.#kind === 'events') this.#settleTail()
    else if (this.#kind === 'document' && this.#timing.bytes > 0 && this.#timing.bytes <= PARSE_LIMIT) this.#readDocument()
    this.#document = []
    this.#tailBytes.fill(null)
    return this.#timing
  }

  #event(bytes: Uint8Array, start: number, end: number): void {
    const timing = this.#timing
    if (timing.firstChunkMs === undefined) {
      if (isEndMark(bytes, start, end)) {
        this.#doneMark = true
        return
      }
      timing.firstChunkMs = this.#atMs
    }
    if (timing.firstTokenMs === undefined) this.#lookForFirstToken(bytes, start, end)
    else if (timing.firstAnswerMs === undefined) this.#lookForFirstAnswer(bytes, start, end)
    this.#pushTail(bytes, start, end)
  }

  #lookForFirstToken(bytes: Uint8Array, start: number, end: number): void {
    const timing = this.#timing
    const value = parseEvent(bytes, start, end)
    if (value === undefined) return
    readFacts(value, timing.facts)
    const delta = deltaOf(value)
    if (delta === Delta.none) return
    timing.known = true
    timing.firstTokenMs = this.#atMs
    // What came before the first token is no chunk and no gap.
    this.#tailCount = 0
    if (delta & Delta.reasoning) timing.firstReasoningMs = this.#atMs
    if (delta & (Delta.text | Delta.tool)) timing.firstAnswerMs = this.#atMs
    if (delta & Delta.tool) timing.sawTool = true
  }

  /** While a model reasons, an event is parsed only when it has a filled answer key. */
  #lookForFirstAnswer(bytes: Uint8Array, start: number, end: number): void {
    if (!mayBeAnswer(bytes, start, end)) return
    const delta = deltaOf(parseEvent(bytes, start, end))
    if (!(delta & (Delta.text | Delta.tool))) return
    this.#timing.firstAnswerMs = this.#atMs
    if (delta & Delta.tool) this.#timing.sawTool = true
  }

  #pushTail(bytes: Uint8Array, start: number, end: number): void {
    if (this.#tailCount === TAIL) {
      if (this.#timing.firstTokenMs !== undefined) this.#countChunk(this.#tailMs[this.#tailFirst] as number)
      this.#tailFirst = (this.#tailFirst + 1) & (TAIL - 1)
      this.#tailCount--
    }
    const slot = (this.#tailFirst + this.#tailCount) & (TAIL - 1)
    this.#tailBytes[slot] = bytes
    this.#tailStart[slot] = start
    this.#tailEnd[slot] = end
    this.#tailMs[slot] = this.#atMs
    this.#tailCount++
  }

  #countChunk(atMs: number): void {
    const timing = this.#timing
    if (timing.lastTokenMs !== undefined) timing.gaps.add(atMs - timing.lastTokenMs, atMs)
    timing.lastTokenMs = atMs
    timing.chunks++
  }

  /** Finds the last token among the last events, and reads usage and finish reasons from it and what came behind it. */
  #settleTail(): void {
    const timing = this.#timing
    // The first events are read again here when the stream was short.
    timing.facts.finishReasons.length = 0
    const closing: unknown[] = []
    let place = this.#tailCount - 1
    for (; place >= 0; place--) {
      const slot = (this.#tailFirst + place) & (TAIL - 1)
      const bytes = this.#tailBytes[slot] as Uint8Array
      const start = this.#tailStart[slot] as number
      const end = this.#tailEnd[slot] as number
      if (isEndMark(bytes, start, end)) {
        this.#doneMark = true
        continue
      }
      const value = parseEvent(bytes, start, end)
      closing.push(value)
      if (isClosing(value)) timing.ended = true
      const delta = deltaOf(value)
      if (delta & Delta.tool) timing.sawTool = true
      if (delta !== Delta.none) break
    }
    for (const value of closing.reverse()) readFacts(value, timing.facts)
    if (timing.firstTokenMs !== undefined) {
      for (let token = 0; token <= place; token++) this.#countChunk(this.#tailMs[(this.#tailFirst + token) & (TAIL - 1)] as number)
    }
    this.#tailCount = 0
    if (this.#doneMark || timing.facts.finishReasons.length > 0) timing.ended = true
  }

  #readDocument(): void {
    const timing = this.#timing
    try {
      const value: unknown = JSON.parse(Buffer.concat(this.#document).toString('utf8'))
      readFacts(value, timing.facts)
      timing.known = true
      timing.ended = true
    } catch {
      // Not JSON, or cut off: nothing is known of it but its times.
    }
  }
}

function parseEvent(bytes: Uint8Array, start: number, end: number): unknown {
  if (end <= start) return undefined
  try {
    return JSON.parse(dataOf(bytes, start, end))
  } catch {
    return undefined
  }
}
