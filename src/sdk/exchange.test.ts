import { describe, expect, test } from 'vitest'
import type { ResponseHead } from './connection-timer.ts'
import { Exchange, type ExchangeResult } from './exchange.ts'
import { answerEvents } from './testing/llm-server.ts'

function begin(signals: ConstructorParameters<typeof Exchange>[1]['signals'] = {}) {
  const results: ExchangeResult[] = []
  const exchange = new Exchange(100, { requestId: 'r', stream: true, signals, onEnd: (result) => results.push(result) })
  return { exchange, results }
}

function head(status: number, headers: Record<string, string> = {}): ResponseHead {
  const all: Record<string, string> = { 'content-type': 'text/event-stream', ...headers }
  return { status, header: (name) => all[name], seesBytes: true }
}

const bytes = new TextEncoder().encode(answerEvents().join(''))

describe('a dispatcher that tries again by itself', () => {
  test('counts as its last try, with the stamps of that one', () => {
    const { exchange, results } = begin()
    exchange.dispatched(101)
    exchange.connected({ usableMs: 102, reused: false })
    exchange.failed(103, { code: 'ECONNRESET' })
    exchange.dispatched(110)
    exchange.connected({ usableMs: 111, reused: false })
    exchange.sent(112)
    exchange.headers(113, head(503))
    exchange.completed(114)
    exchange.dispatched(120)
    exchange.connected({ usableMs: 120, reused: true })
    exchange.sent(121)
    exchange.headers(122, head(200))
    exchange.received(123, bytes)
    exchange.answered()
    exchange.completed(124)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({
      startMs: 100,
      dispatchedMs: 120,
      headersMs: 122,
      endMs: 124,
      status: 200,
      ending: { outcome: 'ok' },
    })
  })

  test('that gives up ends when its last try failed', () => {
    const { exchange, results } = begin()
    exchange.dispatched(101)
    exchange.failed(103, { code: 'ECONNRESET' })
    exchange.rejected(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }))
    expect(results[0]).toMatchObject({ endMs: 103, ending: { outcome: 'error', errorClass: 'connection_reset' } })
  })
})

describe('an exchange ends once', () => {
  test('however many say so', () => {
    const { exchange, results } = begin()
    exchange.dispatched(101)
    exchange.headers(102, head(200))
    exchange.answered()
    exchange.received(103, bytes)
    exchange.completed(104)
    exchange.failed(105, new Error('late'))
    exchange.cancel(106)
    exchange.end(107)
    exchange.received(108, bytes)
    expect(results).toHaveLength(1)
    expect(results[0]?.timing?.bytes).toBe(bytes.length)
  })

  test('before the caller has its response, when all of it came in one read', () => {
    const { exchange, results } = begin()
    exchange.dispatched(101)
    exchange.headers(102, head(200))
    exchange.received(102, bytes)
    exchange.completed(103)
    expect(results).toHaveLength(0)
    exchange.answered()
    expect(results[0]).toMatchObject({ endMs: 103, ending: { outcome: 'ok' } })
  })
})

describe('an abort', () => {
  const aborted = AbortSignal.abort()
  const error = { name: 'AbortError' }

  test.each([
    ['by the caller', { signal: aborted }, 'aborted'],
    ['by the caller through a client library', { signal: aborted, callerSignal: aborted, libraryTimeout: true }, 'aborted'],
    ["by a client library's timeout", { signal: aborted, libraryTimeout: true }, 'timeout'],
    ["by the caller's timeout signal", { signal: AbortSignal.abort(new DOMException('x', 'TimeoutError')) }, 'timeout'],
  ])('before the response, %s', (_name, signals, outcome) => {
    const { exchange, results } = begin(signals)
    exchange.dispatched(101)
    exchange.rejected(error)
    expect(results[0]?.ending.outcome).toBe(outcome)
  })

  test('while a stream runs is the caller leaving, also through a client library', () => {
    const { exchange, results } = begin({ signal: aborted, libraryTimeout: true })
    exchange.dispatched(101)
    exchange.headers(102, head(200))
    exchange.answered()
    exchange.received(103, bytes.subarray(0, 100))
    exchange.failed(104, error)
    expect(results[0]?.ending).toEqual({ outcome: 'aborted', errorClass: 'caller_abort' })
  })

  test('of an error body leaves the status as the reason', () => {
    const { exchange, results } = begin({ signal: aborted })
    exchange.dispatched(101)
    exchange.headers(102, head(429, { 'content-type': 'application/json' }))
    exchange.answered()
    exchange.failed(103, error)
    expect(results[0]?.ending).toEqual({ outcome: 'rejected', errorClass: 'http_429' })
  })
})
