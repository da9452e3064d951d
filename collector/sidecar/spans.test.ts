import { expect, test } from 'vitest'
import type { Stamps } from '../receivers/proxy/observation.ts'
import { openPhase } from './open-requests.ts'
import { isTraced, judge, requestWayMs } from './spans.ts'

const NONE: Stamps = {
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
const FIELDS = { model: null, stream: true, maxTokens: null, n: null, tools: false, jsonOutput: false }

test.each([
  [{}, 'client.upload'],
  [{ received: 1 }, 'sidecar'],
  [{ received: 1, sent: 2 }, 'engine.queue'],
  [{ received: 1, sent: 2, headers: 3, firstByte: 3 }, 'engine.queue'],
  [{ received: 1, sent: 2, headers: 3, firstToken: 4 }, 'engine.decode'],
])('an open stream with %j is in %s', (at, phase) => {
  expect(openPhase({ at: { ...NONE, ...at }, fields: FIELDS })).toBe(phase)
})

test('of an open request that is no stream nothing can be told once it was sent', () => {
  expect(openPhase({ at: { ...NONE, received: 1, sent: 2 }, fields: { ...FIELDS, stream: null } })).toBe('unattributed')
})

test('the way in begins when the request is complete, or when the engine was reached if that was later', () => {
  expect(requestWayMs({ ...NONE, received: 10, sent: 12 })).toBe(2)
  expect(requestWayMs({ ...NONE, received: 10, connected: 11.5, sent: 12 })).toBe(0.5)
  expect(requestWayMs({ ...NONE, received: 10, connected: 3, sent: 10 })).toBe(0)
  expect(requestWayMs({ ...NONE, received: 10 })).toBeNull()
})

test.each([
  ['complete', 200, false, 'ok', null],
  ['complete', 200, true, 'error', 'stream_error'],
  ['complete', 404, false, 'rejected', 'http_404'],
  ['complete', 429, false, 'rejected', 'http_429'],
  ['complete', 408, false, 'timeout', 'http_408'],
  ['complete', 500, false, 'error', 'http_500'],
  ['client_aborted', 200, false, 'aborted', 'caller_abort'],
  ['upstream_unreachable', 502, false, 'error', 'upstream_unreachable'],
  ['upstream_truncated', 200, true, 'error', 'upstream_truncated'],
  ['refused', 400, false, 'rejected', 'bad_request'],
] as const)('%s with %s is %s', (ending, status, streamError, outcome, errorClass) => {
  expect(judge({ ending, status }, streamError)).toEqual({ outcome, errorClass })
})

test('generation routes are traced, under any prefix, and nothing else', () => {
  for (const path of [
    '/v1/chat/completions',
    '/openai/v1/chat/completions',
    '/v1/completions',
    '/generate',
    '/v1/responses',
    '/v1/messages',
    '/v1/embeddings',
    '/completion',
  ]) {
    expect([path, isTraced({ method: 'POST', path })]).toEqual([path, true])
  }
  for (const path of ['/health', '/metrics', '/v1/models', '/tokenize', '/v1/messages/count_tokens', '/', '/generated']) {
    expect([path, isTraced({ method: 'POST', path })]).toEqual([path, false])
  }
  expect(isTraced({ method: 'GET', path: '/v1/chat/completions' })).toBe(false)
})
