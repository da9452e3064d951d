// Attribute values and the resource → scope → items grouping, as OTLP protobuf (opentelemetry-proto common/v1, resource/v1).
import type { Attributes, AttributeValue } from '@longpole/model/span'
import type { PbfWriter } from 'pbf'

const VARINT = 0
const FIXED64 = 1
const FIXED32 = 5

/** Who speaks; every item of a signal carries it. */
export interface Origin {
  resource: Attributes
  scopeName: string
  scopeVersion: string
}

/**
 * Writes `items` grouped by resource (by reference) and scope. The three signals share the field numbers: ResourceX is field 1 of the
 * request, `{ resource = 1, scope_x = 2 }`, ScopeX is `{ scope = 1, items = 2 }`.
 */
export function writeGrouped<T extends Origin>(
  items: readonly T[],
  writeItem: (item: T, writer: PbfWriter) => void,
  writer: PbfWriter,
): void {
  for (const [resource, scopes] of groupByOrigin(items)) {
    writer.writeMessage(
      1,
      (_, group) => {
        group.writeMessage(1, (attributes, inner) => writeAttributes(1, attributes, inner), resource)
        for (const scoped of scopes.values()) {
          group.writeMessage(2, (members, inner) => writeScope(members, writeItem, inner), scoped)
        }
      },
      undefined,
    )
  }
}

function writeScope<T extends Origin>(members: readonly T[], writeItem: (item: T, writer: PbfWriter) => void, writer: PbfWriter): void {
  writer.writeMessage(
    1,
    (first, scope) => {
      writeText(1, first.scopeName, scope)
      writeText(2, first.scopeVersion, scope)
    },
    members[0] as T,
  )
  for (const item of members) writer.writeMessage(2, writeItem, item)
}

function groupByOrigin<T extends Origin>(items: readonly T[]): Map<Attributes, Map<string, T[]>> {
  const groups = new Map<Attributes, Map<string, T[]>>()
  for (const item of items) {
    const scopes = groups.get(item.resource) ?? new Map<string, T[]>()
    groups.set(item.resource, scopes)
    const key = `${item.scopeName}\n${item.scopeVersion}`
    const members = scopes.get(key)
    if (members === undefined) scopes.set(key, [item])
    else members.push(item)
  }
  return groups
}

/** Repeated KeyValue at `field`. `undefined` values are left out. */
export function writeAttributes(field: number, attributes: Attributes, writer: PbfWriter): void {
  for (const key of Object.keys(attributes)) {
    const value = attributes[key]
    if (value !== undefined) writer.writeMessage(field, writeKeyValue, [key, value])
  }
}

function writeKeyValue([key, value]: [string, AttributeValue], writer: PbfWriter): void {
  writeString(1, key, writer)
  writer.writeMessage(2, writeValue, value)
}

/** An AnyValue. Whole numbers become `int_value`, as in OpenTelemetry's own encoder; null is an AnyValue without a value. */
export function writeValue(value: AttributeValue, writer: PbfWriter): void {
  if (typeof value === 'string') writeString(1, value, writer)
  else if (typeof value === 'boolean') writer.writeBooleanField(2, value)
  else if (typeof value === 'bigint' || Number.isSafeInteger(value)) writeInt64(3, value as bigint | number, writer)
  else if (typeof value === 'number') writer.writeDoubleField(4, value)
  else if (value instanceof Uint8Array) writer.writeBytesField(7, value)
  else if (Array.isArray(value)) writer.writeMessage(5, writeArray, value)
  else if (value !== null) writer.writeMessage(6, (map, list) => writeAttributes(1, map, list), value)
}

function writeArray(values: AttributeValue[], writer: PbfWriter): void {
  for (const value of values) writer.writeMessage(1, writeValue, value)
}

/** An int64 varint; pbf's own takes only numbers and is exact to 2^53. */
function writeInt64(field: number, value: bigint | number, writer: PbfWriter): void {
  if (typeof value === 'number' && value >= 0) {
    writer.writeVarintField(field, value)
    return
  }
  writer.writeTag(field, VARINT)
  let rest = BigInt.asUintN(64, BigInt(value))
  writer.realloc(10)
  while (rest >= 0x80n) {
    writer.buf[writer.pos++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  writer.buf[writer.pos++] = Number(rest)
}

/** A fixed64 of a bigint: instants beyond 2^53 stay exact. Zero is the default and is left out. */
export function writeInstant(field: number, unixNano: bigint | undefined, writer: PbfWriter): void {
  if (unixNano === undefined || unixNano === 0n) return
  writer.writeTag(field, FIXED64)
  writer.realloc(8)
  writer.dataView.setBigUint64(writer.pos, BigInt.asUintN(64, unixNano), true)
  writer.pos += 8
}

export function writeText(field: number, text: string, writer: PbfWriter): void {
  if (text !== '') writeString(field, text, writer)
}

/** First halves of characters from U+20000 on, which pbf (5.1.2) writes wrongly: it joins 0x10000 to the halves by OR, not by adding. */
const BEYOND_PBF = /[\ud840-\udbff]/

/** UTF-8; half a character without its other half becomes U+FFFD. */
function writeString(field: number, text: string, writer: PbfWriter): void {
  if (BEYOND_PBF.test(text)) writer.writeBytesField(field, Buffer.from(text, 'utf8'))
  else writer.writeStringField(field, text)
}

/** A trace or span id as bytes; an empty one is left out. */
export function writeId(field: number, hex: string, writer: PbfWriter): void {
  if (hex !== '') writer.writeBytesField(field, Buffer.from(hex, 'hex'))
}

export function writeFlags(field: number, flags: number, writer: PbfWriter): void {
  if (flags === 0) return
  writer.writeTag(field, FIXED32)
  writer.writeFixed32(flags)
}
