import { gzipSync } from 'node:zlib'
import type { Span } from '@longpole/model/span'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTraces } from '../../src/wire/otlp/decode.ts'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'
import { countJsonSpans, countProtobufSpans, MalformedBody, unpack } from './count-spans.ts'

function span(index: number, resource: Span['resource'], scopeName: string): Span {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: (index + 1).toString(16).padStart(16, '0'),
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: `span ${index}`,
    kind: 1,
    startUnixNano: 5n,
    endUnixNano: 6n,
    attributes: { index, nested: { spans: ['a', 'b'] } },
    events: [{ name: 'e', timeUnixNano: 1n, attributes: {} }],
    links: [],
    statusCode: 0,
    statusMessage: '',
    resource,
    scopeName,
    scopeVersion: '',
  }
}

test('counts what a decoder finds', () => {
  const resources = [{ a: 1 }, { a: 2 }]
  const shape = fc.array(fc.record({ resource: fc.nat(1), scope: fc.constantFrom('x', 'y') }), { maxLength: 30 })
  fc.assert(
    fc.property(shape, (spans) => {
      const body = encodeTraces(spans.map(({ resource, scope }, index) => span(index, resources[resource] as Span['resource'], scope)))
      expect(countProtobufSpans(body)).toBe(spans.length)
      expect(decodeTraces(body).spans).toHaveLength(spans.length)
    }),
    { numRuns: 200, seed: 1 },
  )
})

test('cut at any byte it is malformed or counts no more than there were', () => {
  const resource = {}
  const body = encodeTraces([span(0, resource, 'x'), span(1, resource, 'x')])
  for (let length = 0; length < body.length; length++) {
    try {
      expect(countProtobufSpans(body.subarray(0, length))).toBe(0)
      expect(length).toBe(0)
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedBody)
    }
  }
})

test('any bytes: a number or MalformedBody', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        expect(countProtobufSpans(bytes)).toBeGreaterThanOrEqual(0)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedBody)
      }
    }),
    { numRuns: 2_000, seed: 2 },
  )
})

test('JSON of any shape is counted where it has spans', () => {
  expect(countJsonSpans(Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{},{}]},{"spans":[{}]}]},{}]}'))).toBe(3)
  for (const text of ['[]', '{}', '1', '{"resourceSpans":{}}', '{"resourceSpans":[null,1,{"scopeSpans":[[]]}]}'])
    expect(countJsonSpans(Buffer.from(text))).toBe(0)
  expect(() => countJsonSpans(Buffer.from('{'))).toThrow(MalformedBody)
})

test('a bomb is cut off, and one layer of gzip is one layer', async () => {
  await expect(unpack(gzipSync(Buffer.alloc(24 * 1024 * 1024)))).rejects.toThrow('more than 20971520 bytes')
  const twice = gzipSync(gzipSync(Buffer.from('x')))
  expect((await unpack(twice)).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
  await expect(unpack(Buffer.from('plain'))).rejects.toThrow('not gzip')
})
