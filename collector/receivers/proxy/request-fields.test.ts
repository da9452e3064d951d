import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HEAD_BYTES, readRequestFields, TAIL_BYTES } from './request-fields.ts'

const NOTHING = { model: null, stream: null, maxTokens: null, n: null, tools: false, jsonOutput: false }

function read(body: unknown) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const head = bytes.subarray(0, HEAD_BYTES)
  return readRequestFields(head, bytes.length <= HEAD_BYTES ? Buffer.alloc(0) : bytes.subarray(-TAIL_BYTES))
}

test('the fields of the top level are read, whatever stands between them', () => {
  const messages = [{ role: 'user', content: 'a "model": "no", \\" } ] stream' }]
  expect(read({ messages, model: 'org/m', stream: true, n: 2, max_tokens: 7, tools: [{ type: 'function' }] })).toEqual({
    model: 'org/m',
    stream: true,
    maxTokens: 7,
    n: 2,
    tools: true,
    jsonOutput: false,
  })
  expect(read('{ "model" : "a\\u0062\\"c" , "stream" : false , "max_completion_tokens" : 9 }')).toMatchObject({
    model: 'ab"c',
    stream: false,
    maxTokens: 9,
  })
  expect(read({ model: 'm', response_format: { type: 'json_schema' }, tools: [] })).toMatchObject({ jsonOutput: true, tools: false })
})

test('behind a prompt of any length the fields are found in the tail', () => {
  const sizes = [HEAD_BYTES, HEAD_BYTES + 50, HEAD_BYTES + TAIL_BYTES, 200_000]
  for (let size = HEAD_BYTES - 150; size < HEAD_BYTES; size++) sizes.push(size)
  for (const size of sizes) {
    const body = { messages: [{ content: 'x'.repeat(size) }], model: 'm', stream: true, max_tokens: 345, nested: { model: 'inner', n: 9 } }
    expect(read(body)).toMatchObject({ model: 'm', stream: true, maxTokens: 345, n: null })
  }
})

test('keys of inner objects, wrong types and other bodies are none', () => {
  expect(read({ metadata: { model: 'x', stream: true }, tools: 'a' })).toEqual(NOTHING)
  expect(read({ model: 3, stream: 'yes', max_tokens: -1, n: null })).toEqual(NOTHING)
  for (const body of ['', '[]', '"model"', '{', '{"model"', '{"model":', '{"model":"x', '\0\0\0', 'model=x&stream=true'])
    expect(read(body)).toEqual(NOTHING)
})

test('any JSON object: top-level fields as JSON.parse sees them', () => {
  const value = fc.jsonValue({ maxDepth: 3 })
  const object = fc.record({
    first: fc.dictionary(fc.string(), value),
    model: fc.string({ maxLength: 40 }),
    stream: fc.boolean(),
    last: value,
  })
  fc.assert(
    fc.property(object, ({ first, model, stream, last }) => {
      const body = { ...first, messages: 'y'.repeat(first.long === undefined ? 0 : 20_000), model, stream, last }
      const seen = read(body)
      expect(seen.model).toBe(model)
      expect(seen.stream).toBe(stream)
    }),
    { numRuns: 1_000, seed: 11 },
  )
})

test('any bytes: never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (head, tail) => {
      readRequestFields(Buffer.concat([Buffer.from('{"model":"'), head]), Buffer.concat([tail, Buffer.from('"stream":true}')]))
    }),
    { numRuns: 1_000, seed: 12 },
  )
})
