import type { Span } from '@longpole/model/span'
import {
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { PbfReader } from 'pbf'
import { describe, expect, test } from 'vitest'
import { encodeLogs, encodeMetrics, encodeTraces } from './encode.ts'

// Which fields are messages, by number (opentelemetry-proto); everything else is compared as written.
type Schema = { [field: number]: Schema }
const anyValue: Schema = {}
const keyValue: Schema = { 2: anyValue }
Object.assign(anyValue, { 5: { 1: anyValue }, 6: { 1: keyValue } })
const resource: Schema = { 1: keyValue }
const spanSchema: Schema = { 9: keyValue, 11: { 3: keyValue }, 13: { 4: keyValue }, 15: {} }
const logSchema: Schema = { 5: anyValue, 6: keyValue }
const metricSchema: Schema = { 5: { 1: { 7: keyValue } }, 7: { 1: { 7: keyValue } }, 9: { 1: { 9: keyValue } } }
const request = (item: Schema): Schema => ({ 1: { 1: resource, 2: { 1: {}, 2: item } } })

/** A protobuf message as nested lists without zero fields, so that written and left-out defaults compare equal. */
function canonical(bytes: Uint8Array, schema: Schema): unknown[] {
  const reader = new PbfReader(bytes)
  const fields: [number, unknown][] = []
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    const inner = schema[field]
    if (reader.type === 2) {
      const content = reader.readBytes()
      if (inner !== undefined) fields.push([field, canonical(content, inner)])
      else if (content.length > 0) fields.push([field, Buffer.from(content).toString('hex')])
    } else if (reader.type === 0) {
      const value = reader.readVarint(true)
      if (value !== 0) fields.push([field, value])
    } else {
      const raw = Buffer.from(reader.buf.subarray(reader.pos, reader.pos + (reader.type === 1 ? 8 : 4))).toString('hex')
      reader.pos += reader.type === 1 ? 8 : 4
      if (/[^0]/.test(raw)) fields.push([field, raw])
    }
  }
  return fields.sort((left, right) => left[0] - right[0])
}

const attributes = { text: 'é 🜁', whole: 5, negative: -7, real: 1.5, yes: true, list: ['x', 2, false], large: 2 ** 52, huge: 1e300 }
const trace = '0af7651916cd43dd8448eb211c80319c'
const theirResource = { attributes: { 'service.name': 'svc' }, asyncAttributesPending: false }
const theirScope = { name: 'scope', version: '1' }
const origin = { resource: { 'service.name': 'svc' }, scopeName: 'scope', scopeVersion: '1' }

const theirSpan = {
  name: 'chat',
  kind: 1,
  spanContext: () => ({ traceId: trace, spanId: 'b7ad6b7169203331', traceFlags: 1 }),
  parentSpanContext: { traceId: trace, spanId: '00f067aa0ba902b7', traceFlags: 1 },
  startTime: [1_700_000_000, 123_456_789],
  endTime: [1_700_000_001, 5],
  duration: [0, 0],
  status: { code: 2, message: 'bad' },
  attributes,
  events: [{ name: 'event', time: [1_700_000_000, 1], attributes: { e: 1 } }],
  links: [{ context: { traceId: trace, spanId: 'c7ad6b7169203331', traceFlags: 0 }, attributes: { l: 'x' } }],
  ended: true,
  resource: theirResource,
  instrumentationScope: theirScope,
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
}

const ourSpan: Span = {
  traceId: trace,
  spanId: 'b7ad6b7169203331',
  parentSpanId: '00f067aa0ba902b7',
  traceState: '',
  flags: 0x101,
  name: 'chat',
  kind: 2,
  startUnixNano: 1_700_000_000_123_456_789n,
  endUnixNano: 1_700_000_001_000_000_005n,
  attributes,
  events: [{ name: 'event', timeUnixNano: 1_700_000_000_000_000_001n, attributes: { e: 1 } }],
  links: [{ traceId: trace, spanId: 'c7ad6b7169203331', attributes: { l: 'x' } }],
  statusCode: 2,
  statusMessage: 'bad',
  ...origin,
}

/** OpenTelemetry sets "has is-remote" bits on links that our model does not carry. */
function withoutLinkFlags(message: unknown): unknown {
  return JSON.parse(JSON.stringify(message).replaceAll('[6,"00010000"]', '[6,""]').replaceAll(',[6,""]', ''))
}

describe('encodeTraces', () => {
  test("says the same as OpenTelemetry's own protobuf encoder", () => {
    const theirs = ProtobufTraceSerializer.serializeRequest([theirSpan as never]) as Uint8Array
    const ours = encodeTraces([ourSpan])
    expect(withoutLinkFlags(canonical(ours, request(spanSchema)))).toEqual(withoutLinkFlags(canonical(theirs, request(spanSchema))))
  })

  test("agrees with OpenTelemetry's JSON on ids and instants", () => {
    const json = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest([theirSpan as never])))
    const span = json.resourceSpans[0].scopeSpans[0].spans[0]
    expect(span).toMatchObject({ traceId: ourSpan.traceId, parentSpanId: ourSpan.parentSpanId, flags: ourSpan.flags })
    expect([span.startTimeUnixNano, span.endTimeUnixNano].map(String)).toEqual([`${ourSpan.startUnixNano}`, `${ourSpan.endUnixNano}`])
  })

  test('groups by resource object, then by scope, and keeps the order inside', () => {
    const other = { 'service.name': 'other' }
    const spans = [
      { ...ourSpan, name: 'a1' },
      { ...ourSpan, name: 'b1', resource: other },
      { ...ourSpan, name: 'a2' },
      { ...ourSpan, name: 'a3', scopeName: 'second' },
    ]
    type Fields = [number, Fields | string][]
    const inner = (fields: Fields, wanted: number) => fields.filter(([field]) => field === wanted).map(([, value]) => value as Fields)
    const groups = inner(canonical(encodeTraces(spans), request(spanSchema)) as Fields, 1)
    const names = groups.map((group) => inner(group, 2).map((scope) => inner(scope, 2).map((span) => inner(span, 5).join(''))))
    const hex = (text: string) => Buffer.from(text).toString('hex')
    expect(names).toEqual([[['a1', 'a2'].map(hex), [hex('a3')]], [[hex('b1')]]])
  })

  test('writes int64 of every size, bytes, maps and null', () => {
    for (const value of [0, 1, -1, 2 ** 31, -(2 ** 53) + 1, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const bytes = encodeTraces([{ ...ourSpan, attributes: { value } }])
      const text = Buffer.from(bytes).toString('hex')
      const varint: number[] = []
      for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
        varint.push(Number(rest & 0x7fn) | (rest >= 0x80n ? 0x80 : 0))
        if (rest < 0x80n) break
      }
      expect(text).toContain(`18${Buffer.from(varint).toString('hex')}`)
    }
    const mixed = encodeTraces([{ ...ourSpan, attributes: { bytes: new Uint8Array([1, 2, 3]), map: { a: null, b: 'c' } } }])
    expect(Buffer.from(mixed).toString('hex')).toContain('3a03010203')
    expect(Buffer.from(mixed).toString('latin1')).toContain('b\x12\x03\x0a\x01c')
  })

  test('an empty list is an empty request', () => {
    expect(encodeTraces([]).length).toBe(0)
  })
})

describe('encodeLogs', () => {
  test("says the same as OpenTelemetry's own protobuf encoder", () => {
    const theirs = ProtobufLogsSerializer.serializeRequest([
      {
        hrTime: [1_700_000_000, 1],
        hrTimeObserved: [1_700_000_000, 2],
        severityNumber: 9,
        eventName: 'longpole.request.open',
        body: 'text',
        attributes,
        droppedAttributesCount: 0,
        spanContext: { traceId: trace, spanId: 'b7ad6b7169203331', traceFlags: 0 },
        resource: theirResource,
        instrumentationScope: theirScope,
      } as never,
    ]) as Uint8Array
    const ours = encodeLogs([
      {
        timeUnixNano: 1_700_000_000_000_000_001n,
        observedUnixNano: 1_700_000_000_000_000_002n,
        severityNumber: 9,
        eventName: 'longpole.request.open',
        body: 'text',
        attributes,
        traceId: trace,
        spanId: 'b7ad6b7169203331',
        ...origin,
      },
    ])
    expect(canonical(ours, request(logSchema))).toEqual(canonical(theirs, request(logSchema)))
  })
})

describe('encodeMetrics', () => {
  const window = { startTime: [1_700_000_000, 0], endTime: [1_700_000_010, 0] }
  const instants = { startUnixNano: 1_700_000_000_000_000_000n, timeUnixNano: 1_700_000_010_000_000_000n }
  const descriptor = (name: string) => ({ name, description: 'about', unit: 's', valueType: 1, advice: {}, type: 'X' })

  test("says the same as OpenTelemetry's own protobuf encoder for gauges, sums and histograms", () => {
    const point = (value: unknown) => ({ attributes: { a: 'b' }, value, ...window })
    const histogram = { buckets: { boundaries: [0.1, 1], counts: [1, 2, 3] }, sum: 7.5, count: 6 }
    const theirs = ProtobufMetricsSerializer.serializeRequest({
      resource: theirResource,
      scopeMetrics: [
        {
          scope: theirScope,
          metrics: [
            { descriptor: descriptor('gauge'), dataPointType: 2, aggregationTemporality: 1, dataPoints: [point(1.25)] },
            { descriptor: descriptor('sum'), dataPointType: 3, aggregationTemporality: 1, isMonotonic: true, dataPoints: [point(3.5)] },
            { descriptor: descriptor('histogram'), dataPointType: 0, aggregationTemporality: 0, dataPoints: [point(histogram)] },
          ],
        },
      ],
    } as never) as Uint8Array
    const common = { description: 'about', unit: 's', ...origin }
    const number = (value: number) => ({ attributes: { a: 'b' }, ...instants, value })
    const ours = encodeMetrics([
      { ...common, name: 'gauge', data: { type: 'gauge', points: [number(1.25)] } },
      { ...common, name: 'sum', data: { type: 'sum', monotonic: true, temporality: 'cumulative', points: [number(3.5)] } },
      {
        ...common,
        name: 'histogram',
        data: {
          type: 'histogram',
          temporality: 'delta',
          points: [{ attributes: { a: 'b' }, ...instants, count: 6, sum: 7.5, bounds: [0.1, 1], bucketCounts: [1, 2, 3] }],
        },
      },
    ])
    expect(canonical(ours, request(metricSchema))).toEqual(canonical(theirs, request(metricSchema)))
  })
})

test('characters from U+20000 on are written as UTF-8', () => {
  const rare = 'a\u{1f600}\u{20000}\u{2f81a}\u{e0001}\u{10ffff}z'
  const log = {
    timeUnixNano: 0n,
    observedUnixNano: 0n,
    severityNumber: 0,
    eventName: rare,
    body: rare,
    attributes: { [rare]: rare },
    traceId: '',
    spanId: '',
  }
  const bytes = Buffer.from(encodeLogs([{ ...log, resource: {}, scopeName: '', scopeVersion: '' }]))
  const utf8 = Buffer.from(rare, 'utf8')
  let count = 0
  for (let at = bytes.indexOf(utf8); at >= 0; at = bytes.indexOf(utf8, at + 1)) count++
  expect(count).toBe(4)
})
