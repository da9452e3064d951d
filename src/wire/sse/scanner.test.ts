import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Delta } from './delta.ts'
import { MAX_EVENT_BYTES, SseScanner } from './scanner.ts'

interface Seen {
  events: number
  chunks: number
  done: boolean
  /** Byte offset of the end of the read with which the first reasoning, answer and tool delta came. */
  first: Record<'reasoning' | 'answer' | 'tool', number>
  lastToken: number
}

function scan(reads: readonly Buffer[]): Seen {
  const scanner = new SseScanner()
  const first = { reasoning: -1, answer: -1, tool: -1 }
  let lastToken = -1
  let offset = 0
  const note = (kinds: number) => {
    for (const kind of ['reasoning', 'answer', 'tool'] as const) if (first[kind] === -1 && kinds & Delta[kind]) first[kind] = offset
    if (kinds !== 0) lastToken = offset
  }
  for (const read of reads) {
    offset += read.length
    note(scanner.push(read))
  }
  note(scanner.end())
  return { events: scanner.events, chunks: scanner.chunks, done: scanner.done, first, lastToken }
}

/** What the specification says, by parsing everything. */
function reference(text: string): { events: number; chunks: number; first: Seen['first'] } {
  const first = { reasoning: -1, answer: -1, tool: -1 }
  const tokens: number[] = []
  let events = 0
  let offset = 0
  for (const block of text.split(/(?<=\n\n)/)) {
    offset += Buffer.byteLength(block)
    const data = block
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n')
    if (data === '' || data === '[DONE]') continue
    events++
    const kinds = kindsOf(JSON.parse(data))
    for (const kind of kinds) if (first[kind] === -1) first[kind] = offset
    if (kinds.length > 0) tokens.push(events)
  }
  return { events, chunks: tokens.length === 0 ? 0 : (tokens.at(-1) as number) - (tokens[0] as number) + 1, first }
}

function kindsOf(event: Record<string, unknown>): ('reasoning' | 'answer' | 'tool')[] {
  const type = event.type as string | undefined
  if (type?.startsWith('response.')) return type.endsWith('text.delta') && event.delta !== '' ? ['answer'] : []
  const delta = event.delta as Record<string, string> | undefined
  if (type !== undefined) return delta?.text ? ['answer'] : []
  if (typeof event.text === 'string') return event.text === '' ? [] : ['answer']
  const choices = event.choices as { text?: string; delta?: { content?: string; reasoning_content?: string; tool_calls?: unknown[] } }[]
  const kinds = new Set<'reasoning' | 'answer' | 'tool'>()
  for (const choice of choices) {
    if (choice.text || choice.delta?.content) kinds.add('answer')
    if (choice.delta?.reasoning_content) kinds.add('reasoning')
  }
  return [...kinds]
}

const fixtures = new URL('./fixtures/', import.meta.url)
const streams = readdirSync(fixtures).map((name) => ({ name, bytes: readFileSync(new URL(name, fixtures)) }))
const eachByte = (bytes: Buffer) => Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))

describe('recorded streams', () => {
  test.each(streams)('$name: events, tokens and their places are those of a full parse', ({ bytes }) => {
    const { events, chunks, first } = reference(bytes.toString())
    expect(scan(eachByte(bytes))).toMatchObject({ events, chunks, first })
    expect(scan([bytes])).toMatchObject({ events, chunks })
    expect(chunks).toBeGreaterThan(2)
  })

  test.each(streams)('$name: every split in two, and LF as CRLF or CR, changes nothing', ({ bytes }) => {
    const { events, chunks } = reference(bytes.toString())
    for (const ending of ['\n', '\r\n', '\r']) {
      const text = Buffer.from(bytes.toString().replaceAll('\n', ending))
      expect(scan(eachByte(text))).toMatchObject({ events, chunks })
      const step = ending === '\n' ? 1 : 7
      for (let cut = 0; cut < text.length; cut += step) {
        const seen = scan([text.subarray(0, cut), text.subarray(cut)])
        if (seen.events !== events || seen.chunks !== chunks) expect.fail(`cut at ${cut} gives ${JSON.stringify(seen)}`)
      }
    }
  })
})

const chat = (delta: object) => `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`
const firstOf = (text: string) => scan([Buffer.from(text)]).first

describe('what is a token', () => {
  test.each([
    ['role only', chat({ role: 'assistant', content: '' })],
    ['role only, null', chat({ role: 'assistant', content: null, reasoning_content: null })],
    ['an empty tool call list', chat({ tool_calls: [] })],
    ['tool call fragments without text', chat({ tool_calls: [{ index: 0, function: { arguments: '' } }] })],
    ['usage', `data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens_details":{"reasoning_tokens":1}}}\n\n`],
    ['a comment', ': keep-alive "content":"x"\n\n'],
    ['the end mark', 'data: [DONE]\n\n'],
    ['quoted JSON inside an empty event', chat({ role: 'a "content":"b" c', content: '' })],
    ['logprobs', `data: {"choices":[{"delta":{"content":""},"logprobs":{"content":[{"token":"a"}]}}]}\n\n`],
    ['a responses event that is no delta', 'event: response.created\ndata: {"response":{"text":"x"},"type":"response.created"}\n\n'],
    ['a tool schema echoed by responses', 'data: {"type":"response.in_progress","response":{"tools":[{"name":"x"}]}}\n\n'],
  ])('%s is none', (_name, text) => {
    expect(firstOf(text)).toEqual({ reasoning: -1, answer: -1, tool: -1 })
  })

  test.each([
    ['content', chat({ content: 'a' }), 'answer'],
    ['a space', chat({ content: ' ' }), 'answer'],
    ['a refusal', chat({ refusal: 'no' }), 'answer'],
    ['reasoning_content', chat({ content: null, reasoning_content: 'hm' }), 'reasoning'],
    ['reasoning', chat({ content: '', reasoning: 'hm' }), 'reasoning'],
    ['a tool call name', chat({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '' } }] }), 'tool'],
    ['tool call arguments', chat({ tool_calls: [{ index: 0, function: { arguments: '{' } }] }), 'tool'],
    ['text of completions', 'data: {"choices":[{"text":"a"}]}\n\n', 'answer'],
    ['JSON with spaces', 'data: {"choices": [{"delta": {"content" : "a"}}]}\n\n', 'answer'],
    ['data without a space', 'data:{"choices":[{"delta":{"content":"a"}}]}\n\n', 'answer'],
    ['an event after a comment line', ': ping\ndata: {"choices":[{"delta":{"content":"a"}}]}\n\n', 'answer'],
    ['an escaped quote', chat({ content: '"' }), 'answer'],
    ['Anthropic thinking', 'data: {"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"a"}}\n\n', 'reasoning'],
    ['an Anthropic tool', 'data: {"type":"content_block_start","content_block":{"type":"tool_use","name":"f","input":{}}}\n\n', 'tool'],
    ['responses text', 'data: {"type":"response.output_text.delta","delta":"a"}\n\n', 'answer'],
    ['responses reasoning', 'data: {"delta":"a","type":"response.reasoning_text.delta"}\n\n', 'reasoning'],
    ['responses arguments', 'data: {"type": "response.function_call_arguments.delta", "delta": "{"}\n\n', 'tool'],
    ['a last event without its blank line', chat({ content: 'a' }).trimEnd(), 'answer'],
    ['a stream with a byte order mark', `\uFEFF${chat({ content: 'a' })}`, 'answer'],
  ] as const)('%s is one', (_name, text, kind) => {
    const first = firstOf(text)
    expect(Object.entries(first).filter(([, at]) => at !== -1)).toEqual([[kind, Buffer.byteLength(text)]])
  })

  test('reasoning, then the answer, then a tool call: each begins where its first delta is', () => {
    const events = [
      chat({ role: 'assistant', content: '' }),
      chat({ reasoning_content: 'a' }),
      chat({ reasoning_content: 'b' }),
      chat({ content: 'c' }),
      chat({ tool_calls: [{ function: { name: 'f' } }] }),
      chat({ content: '' }),
      'data: [DONE]\n\n',
    ]
    const ends = events.map((_, index) => Buffer.byteLength(events.slice(0, index + 1).join('')))
    const seen = scan(events.map((event) => Buffer.from(event)))
    expect(seen).toMatchObject({ events: 6, chunks: 4, done: true, first: { reasoning: ends[1], answer: ends[3], tool: ends[4] } })
    expect(seen.lastToken).toBe(ends[4])
  })

  test('blank lines, comments and events with names alone are not data', () => {
    expect(scan([Buffer.from('\n\n\n\nevent: ping\n\n: x\n\nid: 1\nretry: 5\n\ndata: {}\n\n\n\n')])).toMatchObject({ events: 1, chunks: 0 })
  })
})

describe('any bytes', () => {
  test('give the same counts however they are split, and are held within the limit', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\n\n',
        ':',
        'data',
        'data:',
        'data: [DONE]',
        '"content":"',
        '"',
        'a',
        '"delta":"',
        'é',
        'event: response.x.delta',
      ),
      fc.string({ maxLength: 6 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat(40), { maxLength: 30 }), (pieces, sizes) => {
        const bytes = Buffer.from(pieces.join(''))
        const reads: Buffer[] = []
        let at = 0
        for (const size of sizes) {
          reads.push(bytes.subarray(at, at + size))
          at += size
        }
        reads.push(bytes.subarray(at))
        const { events, done, first } = scan(eachByte(bytes))
        const split = scan(reads)
        expect({ events: split.events, done: split.done }).toEqual({ events, done })
        for (const kind of ['reasoning', 'answer', 'tool'] as const) expect(split.first[kind] !== -1).toBe(first[kind] !== -1)
      }),
      { numRuns: 2_000, seed: 7 },
    )
  })

  test('an event of 10 MB is one event, judged by its parts, and little of it is held', () => {
    const scanner = new SseScanner()
    const before = process.memoryUsage().arrayBuffers
    let kinds = scanner.push(Buffer.from('data: {"choices":[{"delta":{"content":"'))
    const piece = Buffer.alloc(8_192, 'a')
    for (let size = 0; size < 10_000_000; size += piece.length) kinds |= scanner.push(piece)
    expect(kinds).toBe(Delta.none)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MAX_EVENT_BYTES * 10)
    expect(scanner.push(Buffer.from('"}}]}\n\n'))).toBe(Delta.answer)
    expect(scanner.push(Buffer.from(chat({ content: 'b' })))).toBe(Delta.answer)
    expect(scanner).toMatchObject({ events: 2, chunks: 2 })
  })
})
