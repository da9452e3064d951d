// One LLM call as the caller meant it: one CLIENT span, one child span an attempt, and the phases below them. A client library's
// retries come here as further attempts; the span ends with the last byte of the last one.
import { Longpole, Otel } from '@longpole/model/conventions/attributes'
import { type Attributes, type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { type Anchor, anchorForRequest, now, toHrTime } from './anchored-clock.ts'
import type { ExchangeResult } from './exchange.ts'
import { guarded } from './guard.ts'
import type { Instrumentation } from './options.ts'
import type { Ending } from './outcome.ts'
import { countRequest } from './overhead.ts'
import { writePhase, writeTransportPhases } from './phase-spans.ts'
import {
  type Endpoint,
  endingAttributes,
  endpointAttributes,
  factAttributes,
  gapAttributes,
  outputMode,
  responseAttributes,
  stampAttributes,
} from './request-attributes.ts'
import type { RequestFacts } from './request-facts.ts'

/** Most characters of a caller's own request id that are kept. */
const ID_LIMIT = 128

export interface Attempt {
  /** Carries the attempt's span; what is sent to the server continues from here. */
  readonly context: Context
  readonly recording: boolean
  readonly startMs: number
  /** `x-request-id` as it is sent. */
  readonly requestId: string
  /** Once, when the exchange is over. */
  end(result: ExchangeResult): void
}

export class LogicalRequest {
  readonly startMs: number
  readonly #instrumentation: Instrumentation
  readonly #anchor: Anchor
  #facts: RequestFacts | undefined
  #span: Span | undefined
  #context: Context = ROOT_CONTEXT
  #attempts = 0
  #open = 0
  #last: ExchangeResult | undefined
  #settled: { ending: Ending | undefined; atMs: number } | undefined
  #held = false
  #consumedMs = 0
  #ended = false
  readonly #extra: Attributes = {}

  constructor(instrumentation: Instrumentation, startMs: number) {
    this.#instrumentation = instrumentation
    this.startMs = startMs
    this.#anchor = anchorForRequest(startMs)
  }

  get ended(): boolean {
    return this.#ended
  }

  /** How the newest attempt ended, where it has. */
  get lastEnding(): Ending | undefined {
    return this.#last?.ending
  }

  /** Attributes that a wrapper knows beside the common ones. */
  describe(attributes: Attributes): void {
    Object.assign(this.#extra, attributes)
  }

  /** Starts the request span with the first attempt, when the request's facts are known; later calls change nothing. */
  begin(facts: RequestFacts, parent: Context): { recording: boolean } {
    if (this.#span === undefined) {
      this.#facts = facts
      const { tracer, attributes } = this.#instrumentation
      const name = facts.model === undefined ? facts.operation : `${facts.operation} ${facts.model}`
      const all = { ...attributes, ...this.#extra, ...factAttributes(facts) }
      this.#span = tracer.startSpan(
        name,
        { kind: SpanKind.CLIENT, startTime: toHrTime(this.#anchor, this.startMs), attributes: all },
        parent,
      )
      this.#context = trace.setSpan(parent, this.#span)
      if (this.#span.isRecording()) countRequest()
    }
    return { recording: this.#span.isRecording() }
  }

  /** The first attempt begins with the call itself: what a client library does before it sends is time the caller waits. */
  startAttempt(atMs: number, endpoint: Endpoint, requestId: (attempt: number) => string): Attempt {
    const number = ++this.#attempts
    const startMs = number === 1 ? this.startMs : atMs
    this.#open++
    this.#held = false
    const { tracer } = this.#instrumentation
    const span = this.#span as Span
    if (number === 1) span.setAttributes(endpointAttributes(endpoint))
    else if (this.#last !== undefined) writePhase(this.#writer(this.#context), 'client.backoff', this.#last.endMs, startMs, 'sdk attempts')
    const id = requestId(number)
    const attributes: Attributes = {
      [Longpole.vantage]: 'client',
      [Longpole.role]: 'attempt',
      [Longpole.requestId]: id.slice(0, ID_LIMIT),
      [Otel.httpMethod]: endpoint.method,
      [Otel.urlPath]: endpoint.path,
      ...endpointAttributes(endpoint),
    }
    if (number > 1) attributes[Otel.httpResendCount] = number - 1
    const startTime = toHrTime(this.#anchor, startMs)
    const attemptSpan = tracer.startSpan(
      `${endpoint.method} ${endpoint.path}`,
      { kind: SpanKind.CLIENT, startTime, attributes },
      this.#context,
    )
    const context = trace.setSpan(this.#context, attemptSpan)
    return {
      context,
      recording: attemptSpan.isRecording(),
      startMs,
      requestId: id,
      end: (result) => {
        span.setAttribute(Longpole.requestId, id.slice(0, ID_LIMIT))
        this.#endAttempt(attemptSpan, context, result)
      },
    }
  }

  /** The wrapped call had been answered once; a retry may follow all the same, when its body times out. */
  get settledOnce(): boolean {
    return this.#settled !== undefined
  }

  /** A retry will follow although the last attempt is over. */
  hold(): void {
    this.#held = true
  }

  /** The request lasts until its consumer has read everything; call the result once, then. */
  holdForConsumer(): (consumeMs: number, endMs: number) => void {
    this.#open++
    return (consumeMs, endMs) => {
      this.#open--
      this.#consumedMs = endMs
      this.consumed(consumeMs, endMs)
      this.#finishIfOver()
    }
  }

  /** Writes the caller's own time between reads, which then is part of the request's duration. */
  consumed(consumeMs: number, endMs: number): void {
    this.describe({ [Longpole.seen]: 'iterator' })
    if (consumeMs <= 0) return
    const writer = this.#writer(this.#context)
    writePhase(writer, 'client.consume', endMs - consumeMs, endMs, 'sdk iterator', { [Longpole.synthesized]: true })
  }

  /** The wrapped call has its answer (its body may still be on the way), or failed with this ending. */
  settle(ending?: Ending, atMs = now()): void {
    this.#settled = { ending, atMs }
    this.#held = false
    this.#finishIfOver()
  }

  /** For a source without exchanges: the request ends here, with what was seen. */
  finish(result: ExchangeResult): void {
    this.#last = result
    this.settle(result.ending, result.endMs)
  }

  #writer(parent: Context) {
    return { tracer: this.#instrumentation.tracer, anchor: this.#anchor, parent }
  }

  #endAttempt(span: Span, context: Context, result: ExchangeResult): void {
    this.#open--
    this.#last = result
    if (span.isRecording()) {
      writeTransportPhases(this.#writer(context), result)
      const attributes: Attributes = {
        [Longpole.seen]: result.seen,
        ...endingAttributes(result.ending),
        ...stampAttributes(result, result.startMs),
      }
      if (result.status !== undefined) attributes[Otel.httpStatus] = result.status
      if (result.connection !== undefined) attributes[Longpole.reused] = result.connection.reused
      if (this.#facts?.bodyBytes !== undefined) attributes[Longpole.requestBytes] = this.#facts.bodyBytes
      if (result.timing !== undefined) attributes[Longpole.responseBytes] = result.timing.bytes
      span.setAttributes(attributes)
      endSpan(span, result.ending, this.#anchor, result.endMs)
    } else span.end()
    // openai retries a body that timed out, and does so in the next microtask: only after it the request can be over.
    if (result.ending.outcome === 'timeout') setImmediate(() => guarded('finish', undefined, () => this.#finishIfOver()))
    else this.#finishIfOver()
  }

  #finishIfOver(): void {
    if (this.#ended || this.#held || this.#open > 0 || this.#settled === undefined) return
    this.#ended = true
    const span = this.#span
    if (span === undefined) return
    const last = this.#last
    const ending = this.#settled.ending ?? last?.ending ?? { outcome: 'ok' as const }
    // A call that failed ends when its caller was told; one that answered ends with its last byte.
    const toldMs = this.#settled.ending !== undefined || last === undefined ? this.#settled.atMs : 0
    const endMs = Math.max(toldMs, last?.endMs ?? 0, this.#consumedMs)
    if (span.isRecording()) {
      const attributes: Attributes = { ...this.#extra, ...endingAttributes(ending) }
      if (this.#attempts > 0) attributes[Longpole.attempts] = this.#attempts
      if (last !== undefined) this.#describeLast(last, attributes)
      span.setAttributes(attributes)
    }
    endSpan(span, ending, this.#anchor, endMs)
  }

  #describeLast(last: ExchangeResult, attributes: Attributes): void {
    const facts = this.#facts as RequestFacts
    if (attributes[Longpole.seen] === undefined) attributes[Longpole.seen] = last.seen
    if (last.status !== undefined) attributes[Otel.httpStatus] = last.status
    Object.assign(attributes, stampAttributes(last, this.startMs))
    const { timing } = last
    if (timing === undefined) return
    Object.assign(attributes, responseAttributes(timing.facts))
    if (timing.kind === 'events') Object.assign(attributes, gapAttributes(timing, this.startMs))
    if (timing.known && facts.operation !== 'embeddings') attributes[Longpole.outputMode] = outputMode(facts, timing)
  }
}

function endSpan(span: Span, ending: Ending, anchor: Anchor, endMs: number): void {
  // A caller who stops reading has had what it wanted; everything else that is not ok is an error.
  if (ending.outcome !== 'ok' && ending.outcome !== 'aborted') span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(toHrTime(anchor, endMs))
}
