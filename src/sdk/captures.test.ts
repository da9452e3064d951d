import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { StreamTimer, type StreamTiming } from './stream-timer.ts'

const FOLDER = new URL('fixtures/', import.meta.url)

interface Piece {
  t_ms: number
  bytes: string
}

/** What real servers sent, with the times at which it came. */
function read(name: string): Piece[] {
  const lines = readFileSync(new URL(name, FOLDER), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Piece).filter(({ bytes }) => bytes !== undefined)
}

function time(pieces: readonly Piece[]): StreamTiming {
  const timer = new StreamTimer('events')
  for (const { bytes, t_ms } of pieces) timer.observe(Buffer.from(bytes), t_ms)
  return timer.finish()
}

/** Read off the recordings by hand. `tokens`: events with a filled delta, first to last, empty ones between them included. */
const EXPECTED: Record<
  string,
  { first: number; last: number; tokens: number; usage: (number | undefined)[]; finish: string[]; ended: boolean; failed?: true }
> = {
  'vllm-0.32.0-chat-n2.sse.jsonl': { first: 283.128, last: 619.663, tokens: 16, usage: [72, 0, 16], finish: ['length'], ended: true },
  'vllm-0.32.0-chat-keepalive.sse.jsonl': {
    first: 4895.5,
    last: 4895.5,
    tokens: 12,
    usage: [2164, 0, 12],
    finish: ['length'],
    ended: true,
  },
  'vllm-0.32.0-responses.sse.jsonl': {
    first: 198.2,
    last: 255.0,
    tokens: 5,
    usage: [62, 0, 8],
    finish: ['max_output_tokens'],
    ended: true,
  },
  'vllm-0.32.0-messages.sse.jsonl': { first: 105.4, last: 310.0, tokens: 8, usage: [61, 0, 8], finish: ['max_tokens'], ended: true },
  'vllm-0.32.0-chat-abort.sse.jsonl': { first: 164.0, last: 297.9, tokens: 9, usage: [112, undefined, 9], finish: [], ended: false },
  'sglang-0.5.23-generate.sse.jsonl': { first: 29.9, last: 150.4, tokens: 12, usage: [42, 0, 12], finish: ['length'], ended: true },
  'sglang-0.5.23-chat-cached.sse.jsonl': { first: 29.5, last: 104.4, tokens: 8, usage: [66, 65, 8], finish: ['length'], ended: true },
  'dynamo-1.6.1-chat-worker-killed.sse.jsonl': { first: 169.7, last: 2257.8, tokens: 67, usage: [], finish: [], ended: true, failed: true },
  'llama-cpp-2026.10.11549-chat-queued.sse.jsonl': {
    first: 4837.2,
    last: 4838.5,
    tokens: 4,
    usage: [18, 17, 4],
    finish: ['length'],
    ended: true,
  },
  'litellm-1.106.2-chat.sse.jsonl': { first: 4039.8, last: 4046.7, tokens: 12, usage: [12, 4, 12], finish: ['length'], ended: true },
}

test.each(Object.entries(EXPECTED))('%s is timed and read as recorded', (name, expected) => {
  const { facts, ...timing } = time(read(name))
  expect(timing.firstTokenMs).toBeCloseTo(expected.first, 0)
  expect(timing.lastTokenMs).toBeCloseTo(expected.last, 0)
  expect(timing.chunks).toBe(expected.tokens)
  expect([facts.inputTokens, facts.cachedTokens, facts.outputTokens]).toEqual([0, 1, 2].map((index) => expected.usage[index]))
  expect(facts.finishReasons).toEqual(expected.finish)
  expect(timing.ended).toBe(expected.ended)
  expect(facts.failed).toBe(expected.failed === true)
})

test('every recording is held to something', () => {
  expect(Object.keys(EXPECTED).sort()).toEqual(readdirSync(FOLDER).sort())
})

test('the first token of each is the first event that a plain parse finds filled', () => {
  for (const name of Object.keys(EXPECTED)) {
    const filled = read(name).find(
      ({ bytes }) => /"(?:content|text|delta)":"[^"]/.test(bytes) && !/"role":"assistant","content":""/.test(bytes),
    )
    expect(time(read(name)).firstTokenMs, name).toBe(filled?.t_ms)
  }
})
