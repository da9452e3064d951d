import type { AttributeValue, Span } from '@longpole/model/span'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import fc from 'fast-check'
import { PbfWriter } from 'pbf'
import { describe, expect, test } from 'vitest'
import { DECODE_LIMITS, decodeTraces, MalformedOtlp, TooManyItems } from './decode.ts'
import { decodeLogsJson, decodeMetricsJson, decodeTracesJson } from './decode-json.ts'
import { decodeLogs } from './decode-logs.ts'
import { decodeMetrics } from './decode-metrics.ts'
import { encodeLogs, encodeMetrics, encodeTraces } from './encode.ts'

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((value) => Buffer.from(value).toString('hex'))
    .filter((value) => /[^0]/.test(value))
// Of all planes, the rare ones as often as the others.
const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    fc.integer({ min: 0x20000, max: 0x10ffff }).map(String.fromCodePoint),
  ),
  maxLength: 60,
})
const key = fc.string({ minLength: 1, maxLength: 50 }).filter((value) => value !== '__proto__')
const scalar = fc.oneof(
  text,
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
  fc.boolean(),
)
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 4 }), fc.dictionary(key, scalar, { maxKeys: 3, noNullPrototype: true }))
const attributes = fc.dictionary(key, value as fc.Arbitrary<AttributeValue>, { maxKeys: 6, noNullPrototype: true })
const instant = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const resource = { 'service.name': 'svc', shared: true }

const span: fc.Arbitrary<Span> = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  parentSpanId: fc.oneof(hex(8), fc.constant('')),
  traceState: fc.constantFrom('', 'ot=th:8'),
  flags: fc.nat(1023),
  name: text,
  kind: fc.nat(5),
  startUnixNano: instant,
  endUnixNano: instant,
  attributes,
  events: fc.array(fc.record({ name: text, timeUnixNano: instant, attributes }), { maxLength: 2 }),
  links: fc.array(fc.record({ traceId: hex(16), spanId: hex(8), attributes }), { maxLength: 2 }),
  statusCode: fc.nat(2),
  statusMessage: text,
  resource: fc.constant(resource),
  scopeName: fc.constantFrom('a', ''),
  scopeVersion: fc.constantFrom('1', ''),
})

const bySpanId = (left: Span, right: Span) => (left.spanId < right.spanId ? -1 : 1)

describe('spans', () => {
  test('come back from protobuf as they were', () => {
    fc.assert(
      fc.property(fc.uniqueArray(span, { maxLength: 5, selector: (entry) => entry.spanId }), (spans) => {
        const decoded = decodeTraces(encodeTraces(spans))
        expect(decoded.malformed).toBe(0)
        expect(decoded.spans.sort(bySpanId)).toEqual([...spans].sort(bySpanId))
      }),
    )
  })

  const theirs = {
    name: 'chat',
    kind: 2,
    spanContext: () => ({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }),
    parentSpanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '00f067aa0ba902b7', traceFlags: 1 },
    startTime: [1_790_000_000, 123_456_789],
    endTime: [1_790_000_001, 5],
    duration: [0, 0],
    status: { code: 2, message: 'bad' },
    attributes: { 'gen_ai.request.model': 'm', n: 5, real: 1.5, yes: true, list: ['a', 'b'], negative: -3 },
    events: [{ name: 'retract', time: [1_790_000_000, 7], attributes: { k: 1 } }],
    links: [],
    ended: true,
    resource: { attributes: { 'service.name': 'svc' }, asyncAttributesPending: false },
    instrumentationScope: { name: 'scope', version: '2' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as unknown as Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][0]

  test("of OpenTelemetry's own encoders are the same span in protobuf and in JSON", () => {
    const binary = decodeTraces(ProtobufTraceSerializer.serializeRequest([theirs]) as Uint8Array)
    const json = decodeTracesJson(JsonTraceSerializer.serializeRequest([theirs]) as Uint8Array)
    expect(json).toEqual(binary)
    expect(binary.spans).toHaveLength(1)
    expect(binary.spans[0]).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      parentSpanId: '00f067aa0ba902b7',
      kind: 3,
      startUnixNano: 1_790_000_000_123_456_789n,
      attributes: { n: 5, real: 1.5, yes: true, list: ['a', 'b'], negative: -3 },
      resource: { 'service.name': 'svc' },
      scopeName: 'scope',
      statusCode: 2,
    })
  })

  test('share one resource object within a batch', () => {
    const spans = decodeTraces(encodeTraces(fc.sample(span, { numRuns: 4, seed: 1 }))).spans
    expect(new Set(spans.map((entry) => entry.resource)).size).toBe(1)
  })
})

describe('hostile bodies', () => {
  const body = encodeTraces(fc.sample(span, { numRuns: 3, seed: 7 }))

  test('truncated at every byte give spans or one error, never anything else', () => {
    for (let length = 0; length < body.length; length++) outcome(() => decodeTraces(body.subarray(0, length)))
    const logs = encodeLogs([{ ...log, attributes: { a: 1, b: ['x'] } }])
    for (let length = 0; length < logs.length; length++) outcome(() => decodeLogs(logs.subarray(0, length)))
    const metrics = encodeMetrics([metric])
    for (let length = 0; length < metrics.length; length++) outcome(() => decodeMetrics(metrics.subarray(0, length)))
  })

  test('with any bytes changed never crash or hang', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const broken = Uint8Array.from(body)
        for (const [at, byte] of changes) broken[at] = byte
        outcome(() => decodeTraces(broken))
        outcome(() => decodeMetrics(broken))
        outcome(() => decodeLogs(broken))
      }),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => outcome(() => decodeTraces(bytes))),
      { numRuns: 2_000 },
    )
  })

  test('nested 10,000 deep are refused, in both encodings', () => {
    let nested = new Uint8Array(0)
    for (let level = 0; level < 10_000; level++) {
      const list = new PbfWriter()
      if (nested.length > 0) list.writeBytesField(1, nested)
      const outer = new PbfWriter()
      outer.writeBytesField(5, list.finish())
      nested = Uint8Array.from(outer.finish())
    }
    const wrap = (field: number, inner: Uint8Array, before?: (writer: PbfWriter) => void) => {
      const writer = new PbfWriter()
      before?.(writer)
      writer.writeBytesField(field, inner)
      return Uint8Array.from(writer.finish())
    }
    const keyValue = wrap(2, nested, (writer) => writer.writeStringField(1, 'k'))
    expect(() => decodeTraces(wrap(1, wrap(2, wrap(2, wrap(9, keyValue)))))).toThrow(MalformedOtlp)
    const deep = `${'{"arrayValue":{"values":['.repeat(10_000)}{"intValue":1}${']}}'.repeat(10_000)}`
    const json = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":${deep}}]}]}]}]}`
    expect(() => decodeTracesJson(Buffer.from(json))).toThrow(MalformedOtlp)
  })

  test('with wrong types in JSON are malformed spans or refused, and the error never quotes a value', () => {
    const of = (spans: unknown) => Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }))
    expect(decodeTracesJson(of([{ traceId: 5, spanId: {}, name: [], attributes: [3, null, { key: 1 }] }])).malformed).toBe(1)
    for (const bytes of [of('a secret prompt'), of([17]), of([['a secret prompt']]), Buffer.from('"a secret prompt"'), Buffer.from('{')]) {
      expect(() => decodeTracesJson(bytes)).toThrow(MalformedOtlp)
      expect(() => decodeTracesJson(bytes)).not.toThrow(/secret/)
    }
    fc.assert(
      fc.property(fc.json(), (any) => {
        outcome(() => decodeTracesJson(Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${any}]}]}]}`)))
        outcome(() => decodeMetricsJson(Buffer.from(`{"resourceMetrics":${any}}`)))
        outcome(() => decodeLogsJson(Buffer.from(any)))
      }),
      { numRuns: 500 },
    )
  })

  test('with too many items are refused, with too many attributes are cut and counted', () => {
    const limits = { ...DECODE_LIMITS, items: 2, attributes: 3, textBytes: 50 }
    expect(() => decodeTraces(body, limits)).toThrow(TooManyItems)
    const [one] = fc.sample(span, { numRuns: 1, seed: 3 }) as [Span]
    const wide = { ...one, events: [], attributes: { a: 1, b: 2, c: 'x'.repeat(99), d: 4, e: 5 } }
    const decoded = decodeTraces(encodeTraces([wide]), limits)
    expect(decoded.spans[0]?.attributes).toEqual({ a: 1, b: 2, c: 'x'.repeat(50) })
    expect(decoded.truncated).toBe(3)
  })

  test('cannot reach a prototype through a key', () => {
    const [one] = fc.sample(span, { numRuns: 1, seed: 3 }) as [Span]
    const named = { ...one, attributes: JSON.parse('{"__proto__": {"polluted": 1}, "constructor": "x"}') }
    const decoded = decodeTraces(encodeTraces([named])).spans[0] as Span
    expect(Object.keys(decoded.attributes)).toEqual(['constructor'])
    expect((decoded.attributes as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('spans without valid ids are counted as malformed', () => {
    const [one] = fc.sample(span, { numRuns: 1, seed: 3 }) as [Span]
    const bad = [
      { ...one, traceId: '' },
      { ...one, spanId: '' },
      { ...one, traceId: '0'.repeat(32) },
      { ...one, spanId: 'abcd' },
    ]
    expect(decodeTraces(encodeTraces([one, ...bad]))).toMatchObject({ malformed: 4, spans: [{ spanId: one.spanId }] })
  })
})

const log = {
  resource,
  scopeName: 's',
  scopeVersion: '',
  timeUnixNano: 5n,
  observedUnixNano: 6n,
  severityNumber: 9,
  eventName: 'longpole.request.open',
  body: 'text',
  attributes: { age: 1.5 } as Record<string, AttributeValue>,
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
}

const metric = {
  resource,
  scopeName: 's',
  scopeVersion: '',
  name: 'm',
  description: 'd',
  unit: 's',
  data: {
    type: 'histogram' as const,
    temporality: 'delta' as const,
    points: [{ attributes: { k: 'v' }, timeUnixNano: 9n, startUnixNano: 3n, count: 4, sum: 2.5, bounds: [1, 2], bucketCounts: [1, 2, 1] }],
  },
}

test('log records and metrics come back as they were', () => {
  expect(decodeLogs(encodeLogs([log])).records).toEqual([log])
  const gauge = {
    ...metric,
    data: { type: 'gauge' as const, points: [{ attributes: { a: 'b' }, timeUnixNano: 9n, startUnixNano: 0n, value: -0.25 }] },
  }
  const sum = {
    ...metric,
    data: {
      type: 'sum' as const,
      monotonic: true,
      temporality: 'cumulative' as const,
      points: [{ attributes: {}, timeUnixNano: 9n, startUnixNano: 1n, value: 12 }],
    },
  }
  expect(decodeMetrics(encodeMetrics([metric, gauge, sum])).metrics).toEqual([metric, gauge, sum])
})

function outcome(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof MalformedOtlp || error instanceof TooManyItems)) throw error
  }
}
