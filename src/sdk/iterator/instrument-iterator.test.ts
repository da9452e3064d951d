import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { collectSpans, durationOf } from '../testing/collect-spans.ts'
import { USAGE } from '../testing/llm-server.ts'
import { instrumentIterator } from './instrument-iterator.ts'

const spans = collectSpans()
afterEach(() => spans.reset())
const options = { tracerProvider: spans.provider, model: 'tiny' }

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function* from<T>(chunks: readonly T[], failure?: Error): AsyncGenerator<T> {
  for (const chunk of chunks) yield chunk
  if (failure !== undefined) throw failure
}

const word = (content: string) => ({ choices: [{ index: 0, delta: { content } }] })

async function request() {
  const [span] = await spans.requests()
  return { span: span!, attributes: span!.attributes, below: spans.childrenOf(span!) }
}

test('chunks of a known shape give tokens, usage and one request span without attempts', async () => {
  const chunks = [word(''), word('a'), word('b'), { choices: [{ delta: {}, finish_reason: 'stop' }] }, { choices: [], usage: USAGE }]
  const got: unknown[] = []
  for await (const chunk of instrumentIterator(from(chunks), options)) got.push(chunk)
  expect(got).toEqual(chunks)
  const { span, attributes, below } = await request()
  expect(span.name).toBe('chat tiny')
  expect(attributes).toMatchObject({
    'longpole.seen': 'iterator',
    'longpole.sdk': 'iterator',
    'longpole.chunks': 2,
    'longpole.outcome': 'ok',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.output_tokens': 3,
  })
  expect(attributes['longpole.attempts']).toBeUndefined()
  expect(below.map((child) => child.name)).toEqual(['client.consume'])
})

test("the caller's own time between reads is client.consume, and the source's time is not", async () => {
  async function* slowSource() {
    for (const text of ['a', 'b', 'c']) {
      await pause(20)
      yield text
    }
  }
  let sleptMs = 0
  for await (const _chunk of instrumentIterator(slowSource(), options)) {
    const before = performance.now()
    await pause(15)
    sleptMs += performance.now() - before
  }
  const { span, below } = await request()
  const consume = below[0]!
  expect(consume.attributes).toMatchObject({
    'longpole.phase': 'client.consume',
    'longpole.synthesized': true,
    'longpole.exactness': 'measured',
  })
  expect(durationOf(consume) * 1000).toBeGreaterThanOrEqual(sleptMs - 0.1)
  expect(durationOf(consume)).toBeLessThan(durationOf(span) - 0.05)
})

describe('the end', () => {
  test('comes when the caller leaves: aborted, unless the answer was complete', async () => {
    for await (const _chunk of instrumentIterator(from([word('a'), word('b')]), options)) break
    for await (const _chunk of instrumentIterator(from([{ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }] }]), options)) break
    expect((await spans.requests(2)).map((span) => span.attributes['longpole.outcome'])).toEqual(['aborted', 'ok'])
  })

  test('comes with the error of the source, which the caller gets', async () => {
    const read = async () => {
      for await (const _chunk of instrumentIterator(from([word('a')], new RangeError('planted')), options));
    }
    await expect(read()).rejects.toThrow(RangeError)
    const { attributes } = await request()
    expect(attributes).toMatchObject({ 'longpole.outcome': 'error', 'longpole.error_class': 'truncated' })
    expect(JSON.stringify(attributes)).not.toContain('planted')
  })

  test('of a source that cleans up behind itself is left to it', async () => {
    let cleaned = false
    async function* source() {
      try {
        yield 'a'
        yield 'b'
      } finally {
        cleaned = true
      }
    }
    for await (const _chunk of instrumentIterator(source(), options)) break
    expect(cleaned).toBe(true)
  })
})

test('whatever the source yields, the caller gets it in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.anything()), async (chunks) => {
      const got: unknown[] = []
      for await (const chunk of instrumentIterator({ [Symbol.asyncIterator]: () => from(chunks) }, options)) got.push(chunk)
      expect(got).toEqual(chunks)
    }),
    { numRuns: 40 },
  )
})
