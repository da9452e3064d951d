import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEventScanner, dataOf } from './event-scanner.ts'
import { type BodyKind, StreamTimer, type StreamTiming } from './stream-timer.ts'
import { answerEvents, chunk, DONE, USAGE } from './testing/llm-server.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Feeds the pieces one millisecond apart. */
function time(pieces: readonly Uint8Array[], kind: BodyKind = 'events'): StreamTiming {
  const timer = new StreamTimer(kind)
  pieces.forEach((piece, index) => {
    timer.observe(piece, index + 1)
  })
  return timer.finish()
}

function splitAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...[...new Set(cuts)].sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

/** What must not depend on how the bytes were cut. */
function shapeOf(timing: StreamTiming) {
  const { facts, chunks, bytes, ended, known, sawTool } = timing
  return {
    facts,
    chunks,
    bytes,
    ended,
    known,
    sawTool,
    reasoning: timing.firstReasoningMs !== undefined,
    answer: timing.firstAnswerMs !== undefined,
  }
}

const STREAM = [
  ': keep-alive\n\n',
  chunk({ role: 'assistant', content: '' }),
  chunk({ reasoning_content: 'hm \u00e4\u{1f600}' }),
  ': keep-alive\r\n\r\n',
  chunk({ content: 'one' }),
  `event: message\nid: 3\n${chunk({ content: ' two\n\ndata: no' })}`,
  chunk({ content: '' }),
  chunk({ content: ' three' }, {}, 'stop').replaceAll('\n', '\r\n'),
  chunk({}, { choices: [], usage: USAGE }),
  DONE,
].join('')

describe('the split of the bytes', () => {
  const whole = time([encode(STREAM)])

  test('into one piece is read right', () => {
    expect(shapeOf(whole)).toMatchObject({ chunks: 5, ended: true, known: true, reasoning: true, answer: true })
    expect(whole.facts).toMatchObject({
      model: 'tiny-1',
      inputTokens: 12,
      cachedTokens: 8,
      outputTokens: 3,
      reasoningTokens: 1,
      finishReasons: ['stop'],
    })
  })

  test('at every byte boundary changes nothing, and every stamp is of the piece that completed the event', () => {
    const bytes = encode(STREAM)
    const firstToken = encode(STREAM.slice(0, STREAM.indexOf('\u{1f600}') + 2)).length
    const eventEnd = bytes.indexOf(10, firstToken) + 2
    for (let cut = 1; cut < bytes.length; cut++) {
      const timing = time(splitAt(bytes, [cut]))
      expect(shapeOf(timing)).toEqual(shapeOf(whole))
      expect(timing.firstTokenMs, `cut at ${cut}`).toBe(cut >= eventEnd ? 1 : 2)
    }
  })

  test('into single bytes changes nothing', () => {
    const bytes = encode(STREAM)
    expect(shapeOf(time([...bytes.keys()].map((at) => bytes.subarray(at, at + 1))))).toEqual(shapeOf(whole))
  })

  test('into any pieces changes nothing', () => {
    const bytes = encode(STREAM)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
        expect(shapeOf(time(splitAt(bytes, cuts)))).toEqual(shapeOf(whole))
      }),
    )
  })
})

describe('events', () => {
  test('are the same as a plain reading of the standard finds, for any lines and any cuts', () => {
    const line = fc.constantFrom('data: a', 'data:b', 'data', 'event: x', ': c', 'id: 1', '', '', 'data: {"x":1}', 'dat', 'datas: no')
    fc.assert(
      fc.property(fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n'))), fc.array(fc.nat(200)), (lines, cuts) => {
        const text = lines.map(([content, end]) => content + end).join('')
        const found: string[] = []
        const scanner = createEventScanner()
        for (const piece of splitAt(
          encode(text),
          cuts.filter((cut) => cut < text.length),
        )) {
          scanner.push(piece, (bytes, start, end) => void found.push(dataOf(bytes, start, end)))
        }
        expect(found).toEqual(plainReading(text))
      }),
    )
  })

  test('longer than the limit are skipped without being kept, and the stream goes on', () => {
    const scanner = createEventScanner(1000)
    const found: string[] = []
    const sink = (bytes: Uint8Array, start: number, end: number) => void found.push(dataOf(bytes, start, end))
    scanner.push(encode('data: '), sink)
    for (let index = 0; index < 100; index++) scanner.push(encode('x'.repeat(100)), sink)
    scanner.push(encode('\n\ndata: next\n\n'), sink)
    expect(found).toEqual(['', 'next'])
  })
})

function plainReading(text: string): string[] {
  const found: string[] = []
  let data: string[] = []
  for (const line of text.split(/\r?\n/).slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) found.push(data.join('\n'))
      data = []
    } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
  }
  return found
}

describe('first and last token', () => {
  const stream = (...events: string[]) => time(events.map(encode))

  test('are not the role, an empty delta, a comment, the finish or the usage', () => {
    const timing = stream(': c\n\n', ...answerEvents())
    expect(timing).toMatchObject({ firstByteMs: 1, firstChunkMs: 2, firstTokenMs: 3, firstAnswerMs: 3, lastTokenMs: 5, chunks: 3 })
    expect(timing.gaps.histogram().reduce((sum, [, count]) => sum + count, 0)).toBe(2)
  })

  test.each([
    ['a tool call by its name', chunk({ tool_calls: [{ index: 0, id: 'x', type: 'function', function: { name: 'f' } }] })],
    ['a tool call by its arguments', chunk({ tool_calls: [{ index: 0, function: { arguments: '{' } }] })],
    ['an old function call', chunk({ function_call: { name: 'f' } })],
    ['a refusal', chunk({ refusal: 'no' })],
    ['the text of a completion', `data: {"choices":[{"index":0,"text":"a"}]}\n\n`],
    ['the second choice', `data: {"choices":[{"delta":{}},{"delta":{"content":"b"}}]}\n\n`],
    ['a message block', `event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n`],
    ["an engine's native text", `data: {"text":"a","meta_info":{}}\n\n`],
  ])('can be %s', (_name, event) => {
    expect(stream(chunk({ role: 'assistant' }), event)).toMatchObject({ firstTokenMs: 2, firstAnswerMs: 2 })
  })

  test.each([
    ['null content', chunk({ content: null })],
    ['an empty tool call', chunk({ tool_calls: [{ index: 0, function: { arguments: '' } }] })],
    ['usage', chunk({}, { usage: USAGE })],
    ['no JSON', 'data: hello\n\n'],
    ['an empty array', 'data: []\n\n'],
  ])('are never %s', (_name, event) => {
    expect(stream(event).firstTokenMs).toBeUndefined()
  })

  test('after reasoning is found although null content and escaped keys come before it', () => {
    const noise = Array.from(
      { length: 40 },
      () => `data: {"choices":[{"delta":{"content": null,"reasoning_content":"\\"content\\":\\"x"}}]}\n\n`,
    )
    const timing = stream(...noise, 'data: {"choices":[{"delta":{"content": "a","reasoning_content":null}}]}\n\n')
    expect(timing).toMatchObject({ firstReasoningMs: 1, firstAnswerMs: 41, chunks: 41, lastTokenMs: 41 })
  })

  test('usage that comes with every chunk is read from the last', () => {
    const timing = stream(
      ...[1, 2, 3].map((completion_tokens) => chunk({ content: 'a' }, { usage: { prompt_tokens: 4, completion_tokens } })),
    )
    expect(timing.facts.outputTokens).toBe(3)
  })

  test('gaps keep their eight longest and their sum of counts', () => {
    const timer = new StreamTimer('events')
    const event = encode(chunk({ content: 'a' }))
    let atMs = 0
    for (let gap = 1; gap <= 100; gap++) {
      atMs += gap
      timer.observe(event, atMs)
    }
    const { gaps, chunks } = timer.finish()
    expect(chunks).toBe(100)
    expect(gaps.worst().map(({ gapMs }) => gapMs)).toEqual([100, 99, 98, 97, 96, 95, 94, 93])
    expect(gaps.histogram().reduce((sum, [, count]) => sum + count, 0)).toBe(99)
  })
})

describe('hostile bodies', () => {
  test('never make it throw', () => {
    const kinds = fc.constantFrom<BodyKind>('events', 'document', 'opaque')
    const json = fc.json().map((text) => encode(`data: ${text}\n\n`))
    const shaped = fc
      .record({
        choices: fc.anything(),
        usage: fc.anything(),
        type: fc.anything(),
        delta: fc.anything(),
        response: fc.anything(),
        error: fc.anything(),
      })
      .map((value) => encode(`data: ${safeJson(value)}\n\n`))
    fc.assert(
      fc.property(kinds, fc.array(fc.oneof(fc.uint8Array(), json, shaped)), (kind, pieces) => {
        time(pieces, kind)
      }),
    )
  })

  test('numbers that are no counts, and names that are too long, are not kept', () => {
    const timing = time([
      encode(`data: {"id":"${'x'.repeat(9999)}","choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":1e99}}\n\n`),
    ])
    expect(timing.facts.id).toHaveLength(256)
    expect(timing.facts.inputTokens).toBeUndefined()
    expect(timing.facts.outputTokens).toBeUndefined()
  })
})

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'null'
  } catch {
    return 'null'
  }
}
