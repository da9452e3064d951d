// Times an async iterator of chunks where nothing below it can be seen: one request span, no attempts, and the caller's own time
// between reads as `client.consume`.
import { Longpole } from '@longpole/model/conventions/attributes'
import { now } from '../anchored-clock.ts'
import { Delta, deltaOf, isObject } from '../delta.ts'
import type { ExchangeResult } from '../exchange.ts'
import { createGapSketch } from '../gap-sketch.ts'
import { guarded, isDisabled } from '../guard.ts'
import { LogicalRequest } from '../logical-request.ts'
import { type InstrumentationOptions, resolveOptions } from '../options.ts'
import { ABORTED, type Ending, endingOfFailure, OK, STREAM_ERROR } from '../outcome.ts'
import { chargeRead } from '../overhead.ts'
import { parentContext } from '../propagation.ts'
import { emptyFacts, readFacts } from '../response-facts.ts'
import type { StreamTiming } from '../stream-timer.ts'

export interface IteratorOptions extends InstrumentationOptions {
  /** `gen_ai.request.model`. */
  model?: string
  /** `gen_ai.operation.name`; default `chat`. */
  operation?: string
  /** `x-request-id` as it was sent, so that the servers' spans are joined with this one. */
  requestId?: string
  /** Monotonic milliseconds (`performance.now()`) when the request was made; default: now. */
  startMs?: number
}

/**
 * Wraps any async iterable of chunks. Chunks of a known shape (OpenAI's, Anthropic's, native ones of inference servers) are looked at
 * for a first token; a chunk that is a non-empty string counts as text.
 *
 * @throws TypeError for a wrong option, at once; never later.
 * @example
 * for await (const chunk of instrumentIterator(stream, { model: 'llama' })) write(chunk)
 */
export function instrumentIterator<T>(source: AsyncIterable<T>, options: IteratorOptions = {}): AsyncIterableIterator<T> {
  const instrumentation = resolveOptions(options, 'iterator')
  const iterator = source[Symbol.asyncIterator]()
  const watch = isDisabled()
    ? null
    : guarded('iterator', null, () => createWatch(new LogicalRequest(instrumentation, options.startMs ?? now()), options))
  const follow = (answer: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> =>
    answer.then(
      (result) => {
        guarded('chunk', undefined, () => watch?.received(result.value, result.done === true))
        return result
      },
      (error: unknown) => {
        guarded('iterator failure', undefined, () => watch?.end(endingOfFailure(error, { inBody: watch.began })))
        throw error
      },
    )
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next(...args) {
      guarded('next', undefined, () => watch?.asked())
      return follow(Promise.resolve(Reflect.apply(iterator.next, iterator, args) as Promise<IteratorResult<T>>))
    },
    return(value) {
      guarded('return', undefined, () => watch?.end(undefined))
      if (iterator.return === undefined) return Promise.resolve({ done: true, value })
      return Promise.resolve(iterator.return(value))
    },
    throw(error) {
      guarded('throw', undefined, () => watch?.end(undefined))
      if (iterator.throw === undefined) return Promise.reject(error)
      return Promise.resolve(iterator.throw(error))
    },
  }
}

function createWatch(request: LogicalRequest, options: IteratorOptions) {
  const { operation = 'chat', model, requestId } = options
  if (requestId !== undefined) request.describe({ [Longpole.requestId]: requestId.slice(0, 128) })
  const { recording } = request.begin({ operation, model, stream: true, jsonMode: false }, parentContext(new Headers()))
  if (!recording) return null
  const timing: StreamTiming = {
    kind: 'events',
    chunks: 0,
    bytes: 0,
    gaps: createGapSketch(),
    facts: emptyFacts(),
    sawTool: false,
    ended: false,
    known: false,
  }
  let consumeMs = 0
  let handedOverMs: number | undefined
  let over = false

  function finish(ending: Ending, endMs: number): void {
    over = true
    const result: ExchangeResult = { startMs: request.startMs, endMs, seen: 'body', timing, ending }
    request.consumed(consumeMs, endMs)
    request.finish(result)
  }

  return {
    get began() {
      return timing.firstChunkMs !== undefined
    },
    asked(): void {
      if (over || handedOverMs === undefined) return
      consumeMs += now() - handedOverMs
      handedOverMs = undefined
    },
    received(chunk: unknown, done: boolean): void {
      if (over) return
      const atMs = now()
      if (done) {
        finish(timing.facts.failed ? STREAM_ERROR : OK, atMs)
        return
      }
      timing.firstChunkMs ??= atMs
      readFacts(chunk, timing.facts)
      noteDelta(
        timing,
        typeof chunk === 'string' ? (chunk === '' ? Delta.none : Delta.text) : isObject(chunk) ? deltaOf(chunk) : Delta.none,
        atMs,
      )
      chargeRead(atMs)
      handedOverMs = now()
    },
    /** The caller stopped, or the source failed. */
    end(ending: Ending | undefined): void {
      if (over) return
      const atMs = now()
      if (handedOverMs !== undefined) consumeMs += atMs - handedOverMs
      finish(ending ?? (timing.facts.finishReasons.length > 0 ? OK : ABORTED), atMs)
    },
  }
}

function noteDelta(timing: StreamTiming, delta: number, atMs: number): void {
  if (delta === Delta.none) return
  timing.known = true
  timing.firstTokenMs ??= atMs
  if (delta & Delta.reasoning) timing.firstReasoningMs ??= atMs
  if (delta & (Delta.text | Delta.tool)) timing.firstAnswerMs ??= atMs
  if (delta & Delta.tool) timing.sawTool = true
  if (timing.lastTokenMs !== undefined) timing.gaps.add(atMs - timing.lastTokenMs, atMs)
  timing.lastTokenMs = atMs
  timing.chunks++
}
