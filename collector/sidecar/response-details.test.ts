import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readResponse } from './response-details.ts'

const TAIL = 4_096

function read(text: string, eventStream: boolean) {
  const bytes = Buffer.from(text)
  return readResponse({
    eventStream,
    head: eventStream ? null : bytes.subarray(0, 512),
    tail: bytes.subarray(Math.max(0, bytes.length - TAIL)),
  })
}

const fixture = (name: string) => readFileSync(new URL(`../../src/wire/sse/fixtures/${name}.sse`, import.meta.url), 'utf8')

test.each([
  [
    'vllm-0.32.0-chat',
    { id: 'chatcmpl-cap-stream-chat', model: 'tiny-qwen3', finishReasons: ['length'], promptTokens: 66, outputTokens: 24 },
  ],
  ['sglang-0.5.23-messages', { finishReasons: ['max_tokens'], outputTokens: 8 }],
  ['sglang-0.5.23-responses', { model: 'tiny-qwen3', outputTokens: 6 }],
  ['sglang-0.5.23-generate', { finishReasons: ['length'], promptTokens: 42, cachedTokens: 0 }],
])('the end of a recorded stream: %s', (name, expected) => {
  expect(read(fixture(name), true)).toMatchObject({ ...expected, streamError: false })
})

const usage = {
  prompt_tokens: 5,
  completion_tokens: 7,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
}
const numbers = { promptTokens: 5, outputTokens: 7, cachedTokens: 4, reasoningTokens: 2 }

test('a JSON answer, short or longer than what is kept of it', () => {
  for (const size of [10, 100_000]) {
    const body = {
      id: 'x-1',
      object: 'chat.completion',
      model: 'm',
      choices: [{ message: { content: 'y'.repeat(size) }, finish_reason: 'stop' }],
      usage,
      extra: null,
    }
    expect(read(JSON.stringify(body), false)).toMatchObject({ id: 'x-1', model: 'm', finishReasons: ['stop'], ...numbers })
  }
})

test('an event that is longer than what is kept still gives its usage', () => {
  const completed = { type: 'response.completed', response: { output: 'y'.repeat(10_000), usage } }
  expect(read(`data: ${JSON.stringify(completed)}\n\n`, true)).toMatchObject(numbers)
})

test('what was not said is null, never 0', () => {
  expect(read('data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n', true)).toEqual({
    id: null,
    model: null,
    systemFingerprint: null,
    finishReasons: [],
    promptTokens: null,
    cachedTokens: null,
    outputTokens: null,
    reasoningTokens: null,
    streamError: false,
  })
})

test.each(['{"error":{"message":"x"}}', '{"type":"error","error":{}}', '{"error":"x"}', '{"type":"response.failed"}'])(
  'an error event: %s',
  (data) => {
    expect(read(`data: {"choices":[]}\n\ndata: ${data}\n\n`, true).streamError).toBe(true)
  },
)

test('any bytes: never throws, and hostile values are not taken', () => {
  const piece = fc.constantFrom(
    'data: ',
    '{"usage":',
    '{"prompt_tokens":',
    '-1',
    '1e400',
    '"a"',
    '}',
    '}}',
    '\n\n',
    '[',
    ']',
    '"error":',
    'null',
    ',',
    '"finish_reason":"x y"',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, eventStream) => {
      const { promptTokens } = read(pieces.join(''), eventStream)
      expect(promptTokens === null || promptTokens >= 0).toBe(true)
    }),
    { numRuns: 2_000, seed: 3 },
  )
})
