// What one proxied request shows while its bytes go by. The byte path calls it after each write; nothing here may throw or wait.
import type { Clock } from '@longpole/model/clock'
import { exponentialIndex } from '@longpole/model/conventions/buckets'
import { Delta } from '../../../src/wire/sse/delta.ts'
import { SseScanner } from '../../../src/wire/sse/scanner.ts'
import type { Ending, FinishedRequest, OpenExchange, RequestFields, RequestIdentity, Stamps } from './observation.ts'
import { HEAD_BYTES, TAIL_BYTES as REQUEST_TAIL_BYTES, readRequestFields } from './request-fields.ts'

/** Bytes of the response kept for its last event. */
export const TAIL_BYTES = 4_096
/** First bytes kept of a response that is no stream. */
const RESPONSE_HEAD_BYTES = 512
const WORST_GAPS = 8
const NO_BYTES = Buffer.alloc(0)
const NOTHING_ASKED: RequestFields = { model: null, stream: null, maxTokens: null, n: null, tools: false, jsonOutput: false }

export class RequestObserver {
  readonly at: Stamps = {
    received: null,
    connected: null,
    sent: null,
    headers: null,
    firstByte: null,
    firstToken: null,
    firstReasoning: null,
    firstAnswer: null,
    lastToken: null,
  }
  fields: RequestFields = NOTHING_ASKED
  status: number | null = null

  readonly #identity: RequestIdentity
  readonly #clock: Clock
  readonly #startMs: number
  #reused: boolean | null = null
  #requestBytes = 0
  #requestHead: Buffer[] = []
  #requestHeadBytes = 0
  readonly #requestTail = new ByteTail(REQUEST_TAIL_BYTES)
  #responseBytes = 0
  #readsContent = false
  #scanner: SseScanner | null = null
  #head: Buffer | null = null
  readonly #tail = new ByteTail(TAIL_BYTES)
  #deltas = 0
  #returnMs: number | null = null
  readonly #gaps = new Map<number, number>()
  readonly #worstGaps: [number, number][] = []

  constructor(identity: RequestIdentity, clock: Clock, startMs: number) {
    this.#identity = identity
    this.#clock = clock
    this.#startMs = startMs
  }

  get identity(): RequestIdentity {
    return this.#identity
  }

  #now(): number {
    return this.#clock.monotonicMs() - this.#startMs
  }

  requestChunk(chunk: Buffer): void {
    this.#requestBytes += chunk.length
    if (this.#requestHeadBytes < HEAD_BYTES) {
      const part = chunk.subarray(0, HEAD_BYTES - this.#requestHeadBytes)
      this.#requestHead.push(part)
      this.#requestHeadBytes += part.length
    }
    this.#requestTail.push(chunk)
  }

  requestComplete(): void {
    this.at.received = this.#now()
  }

  connected(reused: boolean): void {
    this.#reused = reused
    if (!reused) this.at.connected = this.#now()
  }

  /** The whole request is with the kernel: only now it is looked at. */
  requestSent(): void {
    this.at.sent ??= this.#now()
    this.#readFields()
  }

  #readFields(): void {
    if (this.#requestHead.length === 0) return
    const [only] = this.#requestHead
    const head = this.#requestHead.length === 1 ? (only as Buffer) : Buffer.concat(this.#requestHead)
    this.fields = readRequestFields(head, this.#requestBytes > HEAD_BYTES ? this.#requestTail.take() : NO_BYTES)
    // The prompt's bytes are not kept any longer than this.
    this.#requestHead = []
    this.#requestTail.clear()
  }

  /** `arrivedMs`: the clock when they came. */
  responseHeaders(status: number, contentType: string | undefined, contentEncoding: string | undefined, arrivedMs: number): void {
    this.at.headers = arrivedMs - this.#startMs
    this.status = status
    if (contentEncoding !== undefined && contentEncoding !== 'identity') return
    this.#readsContent = /^(?:text\/event-stream|application\/(?:[\w.-]+\+)?json)\b/i.test(contentType ?? '')
    if (/^text\/event-stream\b/i.test(contentType ?? '')) this.#scanner = new SseScanner()
  }

  /** `arrivedMs`: the clock before the chunk was written on; this is called behind the write. */
  responseChunk(chunk: Buffer, arrivedMs: number): void {
    const at = arrivedMs - this.#startMs
    this.#responseBytes += chunk.length
    if (this.at.firstByte === null) {
      this.at.firstByte = at
      if (this.#scanner === null) this.#returnMs = this.#now() - at
    }
    if (!this.#readsContent) return
    this.#tail.push(chunk)
    if (this.#scanner === null) {
      this.#head ??= Buffer.from(chunk.subarray(0, RESPONSE_HEAD_BYTES))
      return
    }
    const deltas = this.#scanner.push(chunk)
    if (deltas !== Delta.none) this.#token(deltas, at)
  }

  #token(deltas: number, at: number): void {
    const { at: stamps } = this
    this.#deltas |= deltas
    if (deltas & Delta.reasoning) stamps.firstReasoning ??= at
    if (deltas & (Delta.answer | Delta.tool)) stamps.firstAnswer ??= at
    if (stamps.firstToken === null) {
      stamps.firstToken = at
      this.#returnMs = this.#now() - at
    } else this.#gap(at - (stamps.lastToken as number), at)
    stamps.lastToken = at
  }

  #gap(gapMs: number, at: number): void {
    // Two reads within the clock's resolution: the smallest gap it can tell.
    const index = exponentialIndex(Math.max(gapMs, 0.001) / 1000)
    this.#gaps.set(index, (this.#gaps.get(index) ?? 0) + 1)
    const worst = this.#worstGaps
    if (worst.length === WORST_GAPS && gapMs <= (worst[WORST_GAPS - 1] as [number, number])[1]) return
    if (worst.length === WORST_GAPS) worst.pop()
    let place = worst.length
    while (place > 0 && (worst[place - 1] as [number, number])[1] < gapMs) place--
    worst.splice(place, 0, [at, gapMs])
  }

  /** The record that crosses to the telemetry side. */
  finish(ending: Ending): FinishedRequest {
    const scanner = this.#scanner
    const endMs = this.#now()
    this.#readFields()
    const last = scanner?.end() ?? Delta.none
    if (last !== Delta.none) this.#token(last, endMs)
    return {
      ...this.#identity,
      ending,
      status: this.status,
      endMs,
      at: this.at,
      reused: this.#reused,
      returnMs: this.#returnMs,
      fields: this.fields,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      eventStream: scanner !== null,
      deltas: this.#deltas,
      chunks: scanner?.chunks ?? 0,
      gaps: this.#gaps,
      worstGaps: this.#worstGaps,
      head: this.#head,
      tail: this.#readsContent ? new Uint8Array(this.#tail.take()) : null,
    }
  }

  open(): OpenExchange {
    return {
      ...this.#identity,
      ageMs: this.#now(),
      at: this.at,
      fields: this.fields,
      requestBytes: this.#requestBytes,
      status: this.status,
    }
  }
}

/** The last bytes of what goes by, by reference to the last chunks: nothing is copied until they are asked for. */
class ByteTail {
  readonly #size: number
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(size: number) {
    this.#size = size
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#chunks.length > 1 && this.#bytes - (this.#chunks[0] as Buffer).length >= this.#size) {
      this.#bytes -= (this.#chunks.shift() as Buffer).length
    }
  }

  take(): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    return all.subarray(Math.max(0, all.length - this.#size))
  }

  clear(): void {
    this.#chunks = []
    this.#bytes = 0
  }
}
