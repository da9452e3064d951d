// One HTTP exchange: collects the stamps of its connection and body from whoever sees them first, and decides once how it ended.
// It knows nothing of spans: src/sdk/attempt.ts writes them when `onEnd` is called.
import { now } from './anchored-clock.ts'
import type { Connection, ResponseHead, TransportObserver } from './connection-timer.ts'
import { type Ending, endingOfFailure, endingOfStatus, type FailureContext, OK, STREAM_ERROR, TRUNCATED } from './outcome.ts'
import { chargeRead } from './overhead.ts'
import { type BodyKind, StreamTimer, type StreamTiming } from './stream-timer.ts'

/** Where the bytes of the body are seen. */
export type Seen = 'socket' | 'body'

/** Everything that was seen of an exchange; stamps are monotonic milliseconds. */
export interface ExchangeResult {
  startMs: number
  endMs: number
  seen: Seen
  /** Redirected or not: when the connection for the last hop was asked for. */
  dispatchedMs?: number
  connection?: Connection
  sentMs?: number
  headersMs?: number
  status?: number
  timing?: StreamTiming
  ending: Ending
}

export interface ExchangeSettings {
  /** `x-request-id` as it is sent. */
  requestId: string
  /** The request asked for a stream; absent where that is not known. */
  stream?: boolean | undefined
  signals: Pick<FailureContext, 'signal' | 'callerSignal' | 'libraryTimeout'>
  onEnd(result: ExchangeResult): void
}

export class Exchange implements TransportObserver {
  readonly startMs: number
  readonly requestId: string
  readonly #settings: ExchangeSettings
  #dispatchedMs: number | undefined
  #connection: Connection | undefined
  #sentMs: number | undefined
  #headersMs: number | undefined
  #status: number | undefined
  #timer: StreamTimer | undefined
  #seen: Seen = 'body'
  #contentLength: number | undefined
  #answered = false
  /** How the last hop ended before the caller had its response: a redirect or a retrying dispatcher may go on from there. */
  #hopEnd: { atMs: number; error?: unknown; failed: boolean } | undefined
  #ended = false

  constructor(startMs: number, settings: ExchangeSettings) {
    this.startMs = startMs
    this.requestId = settings.requestId
    this.#settings = settings
  }

  /** The body's bytes must be tapped by the caller: nobody below tells of them. */
  get needsTap(): boolean {
    return !this.#ended && this.#seen === 'body'
  }

  get hasHeaders(): boolean {
    return this.#headersMs !== undefined
  }

  dispatched(atMs: number): void {
    this.#dispatchedMs = this.#dispatchedMs === undefined ? this.startMs : atMs
    this.#connection = undefined
    this.#sentMs = undefined
    this.#headersMs = undefined
    this.#timer = undefined
    this.#hopEnd = undefined
  }

  connected(connection: Connection): void {
    this.#connection = connection
  }

  sent(atMs: number): void {
    this.#sentMs = atMs
  }

  headers(atMs: number, response: ResponseHead): void {
    if (this.#ended) return
    this.#headersMs = atMs
    this.#status = response.status
    const encoding = response.header('content-encoding')
    const plain = encoding === undefined || encoding === '' || encoding === 'identity'
    this.#seen = response.seesBytes && plain ? 'socket' : 'body'
    const length = Number(response.header('content-length'))
    this.#contentLength = Number.isSafeInteger(length) && response.header('content-length') !== undefined && plain ? length : undefined
    this.#timer = new StreamTimer(kindOf(response.header('content-type'), this.#settings.stream === true))
  }

  received(atMs: number, bytes: Uint8Array): void {
    if (this.#seen === 'socket') this.observe(bytes, atMs)
  }

  /** Body bytes, from the socket or from the tap. */
  observe(bytes: Uint8Array, atMs: number): void {
    if (this.#ended || this.#timer === undefined) return
    this.#timer.observe(bytes, atMs)
    chargeRead(atMs)
  }

  completed(atMs: number): void {
    if (this.#seen !== 'socket') return
    if (this.#answered) this.end(atMs)
    else this.#hopEnd = { atMs, failed: false }
  }

  failed(atMs: number, error: unknown): void {
    // Where the body is tapped, it still has bytes to give, and it will tell of the failure itself.
    if (this.#answered && this.#seen === 'body') return
    if (this.#answered) this.fail(error, atMs)
    else this.#hopEnd = { atMs, error, failed: true }
  }

  /** The caller has its response: what the last hop said now counts. */
  answered(): void {
    this.#answered = true
    const last = this.#hopEnd
    if (last === undefined || this.#seen === 'body') return
    if (last.failed) this.fail(last.error, last.atMs)
    else this.end(last.atMs)
  }

  /** The caller got an error instead of a response. */
  rejected(error: unknown): void {
    this.fail(error, this.#hopEnd?.atMs)
  }

  /** The body is complete as far as the transport can tell. */
  end(atMs = now()): void {
    if (this.#ended) return
    const timing = this.#timer?.finish()
    this.#finish(atMs, timing, this.#endingOf(timing))
  }

  /** The transport failed, or somebody gave up. An answer that was already whole stays ok. */
  fail(error: unknown, atMs = now()): void {
    if (this.#ended) return
    const timing = this.#timer?.finish()
    const bodyBegan = this.#headersMs !== undefined
    const stream = timing?.kind === 'events'
    const libraryTimeout = this.#settings.signals.libraryTimeout === true && !(stream && bodyBegan)
    const context = { ...this.#settings.signals, libraryTimeout, inBody: bodyBegan }
    const whole = timing?.ended === true && (stream || this.#isComplete(timing))
    if (this.#status !== undefined && this.#status >= 400) this.#finish(atMs, timing, endingOfStatus(this.#status))
    else if (whole) this.#finish(atMs, timing, this.#endingOf(timing))
    else this.#finish(atMs, timing, endingOfFailure(error, context))
  }

  /** The consumer stopped reading before the end. */
  cancel(atMs = now()): void {
    this.fail(CANCELLED, atMs)
  }

  #endingOf(timing: StreamTiming | undefined): Ending {
    if (this.#status !== undefined && this.#status >= 400) return endingOfStatus(this.#status)
    if (timing === undefined) return OK
    if (timing.facts.failed) return STREAM_ERROR
    if (timing.known && !timing.ended) return TRUNCATED
    return OK
  }

  #isComplete(timing: StreamTiming): boolean {
    return this.#contentLength === undefined || timing.bytes >= this.#contentLength
  }

  #finish(endMs: number, timing: StreamTiming | undefined, ending: Ending): void {
    this.#ended = true
    this.#timer = undefined
    const { startMs } = this
    this.#settings.onEnd({
      startMs,
      endMs,
      seen: this.#seen,
      dispatchedMs: this.#dispatchedMs,
      connection: this.#connection,
      sentMs: this.#sentMs,
      headersMs: this.#headersMs,
      status: this.#status,
      timing,
      ending,
    })
  }
}

const CANCELLED = { name: 'AbortError' }

/** A body is looked into only as what it says it is. */
function kindOf(contentType: string | undefined, stream: boolean): BodyKind {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (type === 'text/event-stream') return 'events'
  if (type === undefined || type === '') return stream ? 'events' : 'document'
  if (type === 'application/json' || type.endsWith('+json')) return 'document'
  return 'opaque'
}
