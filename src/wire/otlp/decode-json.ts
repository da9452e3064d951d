// OTLP/JSON bodies → spans, log records, metrics (opentelemetry-proto docs, "JSON Protobuf encoding": ids in hexadecimal, 64-bit
// integers as decimal strings or numbers, enums as numbers, lowerCamelCase keys). Unknown keys are ignored, wrong types are malformed.
import type { Attributes, AttributeValue, Span } from '@longpole/model/span'
import { type DecodedTraces, isValidSpan } from './decode.ts'
import type { DecodedLogs } from './decode-logs.ts'
import type { DecodedMetrics } from './decode-metrics.ts'
import { DECODE_LIMITS, type DecodeLimits, guarded, MalformedOtlp, TooManyItems } from './decode-value.ts'
import type { LogRecord, Metric, NumberPoint } from './signals.ts'

type Json = Record<string, unknown>

interface Origin {
  resource: Attributes
  scopeName: string
  scopeVersion: string
}

interface Reading {
  limits: DecodeLimits
  truncated: number
  items: number
}

export function decodeTracesJson(body: Uint8Array, limits: DecodeLimits = DECODE_LIMITS): DecodedTraces {
  return guarded(() => {
    const reading: Reading = { limits, truncated: 0, items: 0 }
    const spans: Span[] = []
    for (const [item, origin] of items(body, 'resourceSpans', 'scopeSpans', 'spans', reading)) {
      const span = readSpan(item, origin, reading)
      if (span !== null) spans.push(span)
    }
    return { spans, malformed: reading.items - spans.length, truncated: reading.truncated }
  })
}

export function decodeLogsJson(body: Uint8Array, limits: DecodeLimits = DECODE_LIMITS): DecodedLogs {
  return guarded(() => {
    const reading: Reading = { limits, truncated: 0, items: 0 }
    const records: LogRecord[] = []
    for (const [item, origin] of items(body, 'resourceLogs', 'scopeLogs', 'logRecords', reading)) {
      records.push({
        ...origin,
        timeUnixNano: instant(item.timeUnixNano) ?? 0n,
        observedUnixNano: instant(item.observedTimeUnixNano) ?? 0n,
        severityNumber: number(item.severityNumber),
        eventName: text(item.eventName, reading),
        body: anyValue(item.body, reading, 0),
        attributes: attributes(item.attributes, reading),
        traceId: id(item.traceId, 32),
        spanId: id(item.spanId, 16),
      })
    }
    return { records, truncated: reading.truncated }
  })
}

export function decodeMetricsJson(body: Uint8Array, limits: DecodeLimits = DECODE_LIMITS): DecodedMetrics {
  return guarded(() => {
    const reading: Reading = { limits, truncated: 0, items: 0 }
    const metrics: Metric[] = []
    let unsupported = 0
    for (const [item, origin] of items(body, 'resourceMetrics', 'scopeMetrics', 'metrics', reading)) {
      const data = readMetricData(item, reading)
      if (data === null) unsupported++
      else metrics.push({ ...origin, name: text(item.name, reading), description: '', unit: text(item.unit, reading), data })
    }
    return { metrics, unsupported, truncated: reading.truncated }
  })
}

function* items(body: Uint8Array, groupKey: string, scopeKey: string, itemKey: string, reading: Reading): Generator<[Json, Origin]> {
  checkShape(body)
  const root: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  for (const group of list(object(root)[groupKey])) {
    const { resource, [scopeKey]: scopes } = object(group)
    const shared = attributes(object(resource ?? {}).attributes, reading)
    for (const scoped of list(scopes)) {
      const { scope, [itemKey]: members } = object(scoped)
      const { name, version } = object(scope ?? {})
      const origin = { resource: shared, scopeName: text(name, reading), scopeVersion: text(version, reading) }
      for (const item of list(members)) {
        if (++reading.items > reading.limits.items) throw new TooManyItems(`more than ${reading.limits.items} items in one body`)
        yield [object(item), origin]
      }
    }
  }
}

const MAX_CONTAINERS = 300_000
const MAX_NESTING = 512

/** Refuses what JSON.parse would turn into hundreds of megabytes: some million empty objects, or brackets without end. */
function checkShape(body: Uint8Array): void {
  let depth = 0
  let containers = 0
  let isText = false
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]
    if (isText) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) isText = false
    } else if (byte === 0x22) isText = true
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_NESTING) throw new MalformedOtlp(`JSON nested deeper than ${MAX_NESTING}`)
      if (++containers > MAX_CONTAINERS) throw new TooManyItems(`more than ${MAX_CONTAINERS} objects and lists in one body`)
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
}

/** Null where ids or stamps are not valid. */
function readSpan(item: Json, origin: Origin, reading: Reading): Span | null {
  const startUnixNano = instant(item.startTimeUnixNano)
  const endUnixNano = instant(item.endTimeUnixNano)
  if (startUnixNano === null || endUnixNano === null) return null
  const status = isObject(item.status) ? item.status : {}
  const span: Span = {
    traceId: id(item.traceId, 32),
    spanId: id(item.spanId, 16),
    parentSpanId: id(item.parentSpanId, 16),
    traceState: text(item.traceState, reading),
    flags: number(item.flags),
    name: text(item.name, reading),
    kind: number(item.kind),
    startUnixNano,
    endUnixNano,
    attributes: attributes(item.attributes, reading),
    events: bounded(item.events, reading).map((event) => ({
      name: text(event.name, reading),
      timeUnixNano: instant(event.timeUnixNano) ?? 0n,
      attributes: attributes(event.attributes, reading),
    })),
    links: bounded(item.links, reading).map((link) => ({
      traceId: id(link.traceId, 32),
      spanId: id(link.spanId, 16),
      attributes: attributes(link.attributes, reading),
    })),
    statusCode: number(status.code),
    statusMessage: text(status.message, reading),
    ...origin,
  }
  return isValidSpan(span) ? span : null
}

function readMetricData(item: Json, reading: Reading): Metric['data'] | null {
  const kind = item.gauge ?? item.sum
  if (!isObject(kind)) return null
  const points: NumberPoint[] = list(kind.dataPoints).map((entry) => {
    const point = object(entry)
    return {
      attributes: attributes(point.attributes, reading),
      timeUnixNano: instant(point.timeUnixNano) ?? 0n,
      startUnixNano: instant(point.startTimeUnixNano) ?? 0n,
      value: Number(point.asDouble ?? point.asInt ?? Number.NaN),
    }
  })
  if (item.gauge !== undefined) return { type: 'gauge', points }
  return {
    type: 'sum',
    monotonic: kind.isMonotonic === true,
    temporality: kind.aggregationTemporality === 1 ? 'delta' : 'cumulative',
    points,
  }
}

function attributes(value: unknown, reading: Reading, depth = 0): Attributes {
  const result: Attributes = {}
  let count = 0
  for (const entry of list(value)) {
    if (!isObject(entry)) continue
    const key = text(entry.key, reading)
    if (key === '' || key === '__proto__' || count++ >= reading.limits.attributes) reading.truncated++
    else result[key] = anyValue(entry.value, reading, depth)
  }
  return result
}

function anyValue(value: unknown, reading: Reading, depth: number): AttributeValue {
  if (depth > reading.limits.depth) throw new MalformedOtlp(`attribute values nested deeper than ${reading.limits.depth}`)
  if (!isObject(value)) return null
  if (typeof value.stringValue === 'string') return text(value.stringValue, reading)
  if (typeof value.boolValue === 'boolean') return value.boolValue
  if (value.intValue !== undefined) return integer(value.intValue)
  if (value.doubleValue !== undefined) return Number(value.doubleValue)
  if (isObject(value.arrayValue)) {
    return list(value.arrayValue.values)
      .slice(0, reading.limits.attributes)
      .map((entry) => anyValue(entry, reading, depth + 1))
  }
  if (isObject(value.kvlistValue)) return attributes(value.kvlistValue.values, reading, depth + 1)
  if (typeof value.bytesValue === 'string') return new Uint8Array(Buffer.from(text(value.bytesValue, reading), 'base64'))
  return null
}

function bounded(value: unknown, reading: Reading): Json[] {
  const all = list(value).filter(isObject)
  reading.truncated += Math.max(0, all.length - reading.limits.events)
  return all.slice(0, reading.limits.events)
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function object(value: unknown): Json {
  if (!isObject(value)) throw new MalformedOtlp(`expected an object, got ${describe(value)}`)
  return value
}

function list(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new MalformedOtlp(`expected a list, got ${describe(value)}`)
  return value
}

/** Names a type, never the value: it could be content. */
function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

function text(value: unknown, reading: Reading): string {
  if (typeof value !== 'string') return ''
  if (value.length <= reading.limits.textBytes) return value
  reading.truncated++
  return value.slice(0, reading.limits.textBytes)
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

/** Lower-case hexadecimal digits; empty where it is anything else. */
function id(value: unknown, digits: number): string {
  return typeof value === 'string' && value.length === digits && /^[0-9a-fA-F]+$/.test(value) ? value.toLowerCase() : ''
}

/** Unix nanoseconds, 0 where absent, null where it is no unsigned 64-bit integer. */
function instant(value: unknown): bigint | null {
  if (value === undefined || value === null) return 0n
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value)
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return BigInt.asUintN(64, BigInt(value))
  return null
}

function integer(value: unknown): number | bigint | null {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : null
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return null
  const wide = BigInt.asIntN(64, BigInt(value))
  return wide >= BigInt(Number.MIN_SAFE_INTEGER) && wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide
}
