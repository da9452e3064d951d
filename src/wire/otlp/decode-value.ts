// Reading OTLP protobuf safely: every length is checked against its message, nesting and sizes are limited, short strings are
// interned. The base under decode.ts, decode-metrics.ts and decode-logs.ts; field numbers are those of opentelemetry-proto common/v1.
import type { Attributes, AttributeValue } from '@longpole/model/span'
import { PbfReader } from 'pbf'

/** The body is not OTLP, or goes beyond a limit of its format; the whole of it is refused. */
export class MalformedOtlp extends Error {
  override readonly name = 'MalformedOtlp'
}

/** The body holds more items than one body may. */
export class TooManyItems extends Error {
  override readonly name = 'TooManyItems'
}

/** What one body may hold; whatever is beyond is left out and counted as truncated, but for `items` and `depth`, which refuse the body. */
export interface DecodeLimits {
  /** Spans, data points or log records of one body. */
  items: number
  /** Attributes of one item. */
  attributes: number
  /** Bytes of one string; longer ones are cut. */
  textBytes: number
  /** Nesting of attribute values. */
  depth: number
  /** Events of one span, and links of one span. */
  events: number
}

export const DECODE_LIMITS: DecodeLimits = { items: 65_536, attributes: 128, textBytes: 4_096, depth: 32, events: 128 }

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

const NOTHING = new Uint8Array(0)

/** A protobuf reader that never leaves its message. */
export class OtlpReader {
  readonly limits: DecodeLimits
  /** Attributes, events, links and string ends left out because of a limit. */
  truncated = 0
  items = 0
  private readonly pbf: PbfReader
  private readonly bytes: Buffer

  constructor(body: Uint8Array, limits: DecodeLimits) {
    this.pbf = new PbfReader(body)
    this.bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    this.limits = limits
  }

  get length(): number {
    return this.bytes.length
  }

  get position(): number {
    return this.pbf.pos
  }

  /** Counts one item against the body's limit. */
  countItem(): void {
    if (++this.items > this.limits.items) throw new TooManyItems(`more than ${this.limits.items} items in one body`)
  }

  /** Calls `onField` for each field until `end`. A field that it does not read is skipped. */
  fields(end: number, onField: (field: number, type: number) => void): void {
    const { pbf } = this
    while (pbf.pos < end) {
      const tag = pbf.readVarint()
      const type = tag & 7
      const start = pbf.pos
      if (start > end) throw new MalformedOtlp('a field tag runs over the end of its message')
      onField(tag >>> 3, type)
      if (pbf.pos === start) this.skip(type, end)
      if (pbf.pos > end) throw new MalformedOtlp('a field runs over the end of its message')
    }
  }

  private skip(type: number, end: number): void {
    const { pbf } = this
    if (type === BYTES) pbf.pos = this.messageEnd(end)
    else if (type === VARINT) this.uint()
    else if (type === FIXED64) pbf.pos += 8
    else if (type === FIXED32) pbf.pos += 4
    else throw new MalformedOtlp(`wire type ${type} is not used by OTLP`)
  }

  /** Reads a length and gives the position behind it. */
  messageEnd(outerEnd: number): number {
    const { pbf } = this
    const length = pbf.readVarint()
    if (!(length >= 0 && length <= outerEnd - pbf.pos)) throw new MalformedOtlp('a length runs over the end of its message')
    return pbf.pos + length
  }

  uint(): number {
    const value = this.pbf.readVarint()
    if (this.pbf.pos > this.bytes.length) throw new MalformedOtlp('a number runs over the end of the body')
    return value
  }

  /** An int64: a number where it is exact, else a bigint. */
  int64(): number | bigint {
    const { pbf } = this
    const start = pbf.pos
    const value = pbf.readVarint(true)
    if (Number.isSafeInteger(value)) return value
    let wide = 0n
    for (let at = start; at < pbf.pos; at++) wide |= BigInt((this.bytes[at] as number) & 0x7f) << BigInt(7 * (at - start))
    return BigInt.asIntN(64, wide)
  }

  fixed32(): number {
    this.need(4)
    return this.pbf.readFixed32()
  }

  double(): number {
    this.need(8)
    return this.pbf.readDouble()
  }

  /** A fixed64 as bigint: instants of Unix nanoseconds are beyond 2^53. */
  fixed64(): bigint {
    this.need(8)
    const value = this.pbf.dataView.getBigUint64(this.pbf.pos, true)
    this.pbf.pos += 8
    return value
  }

  /** A signed fixed64 as a number, as sums and counts use it. */
  sfixed64(): number {
    this.need(8)
    return this.pbf.readSFixed64()
  }

  private need(count: number): void {
    if (count > this.bytes.length - this.pbf.pos) throw new MalformedOtlp('a number runs over the end of the body')
  }

  /** A trace or span id as lower-case hexadecimal digits; empty where it has another length. */
  id(outerEnd: number, size: 8 | 16): string {
    const end = this.messageEnd(outerEnd)
    const start = this.pbf.pos
    this.pbf.pos = end
    return end - start === size ? this.bytes.toString('hex', start, end) : ''
  }

  text(outerEnd: number): string {
    const end = this.messageEnd(outerEnd)
    const start = this.pbf.pos
    this.pbf.pos = end
    if (end - start <= INTERN_BYTES) return intern(this.bytes, start, end)
    if (end - start <= this.limits.textBytes) return this.bytes.toString('utf8', start, end)
    this.truncated++
    return this.bytes.toString('utf8', start, start + this.limits.textBytes)
  }

  private blob(outerEnd: number): Uint8Array {
    const end = this.messageEnd(outerEnd)
    const start = this.pbf.pos
    this.pbf.pos = end
    if (end - start > this.limits.textBytes) this.truncated++
    return end === start ? NOTHING : Uint8Array.from(this.bytes.subarray(start, Math.min(end, start + this.limits.textBytes)))
  }

  /** A message: `onField` is called for each of its fields. */
  message(outerEnd: number, onField: (field: number, type: number, end: number) => void): void {
    const end = this.messageEnd(outerEnd)
    this.fields(end, (field, type) => onField(field, type, end))
  }

  /** One KeyValue into `attributes`. `count` is how many are there already. */
  keyValue(outerEnd: number, attributes: Attributes, count: number, depth = 0): void {
    const end = this.messageEnd(outerEnd)
    let key = ''
    let value: AttributeValue = null
    const { pbf } = this
    while (pbf.pos < end) {
      const tag = pbf.readVarint()
      if (tag === 10) key = this.text(end)
      else if (tag === 18) value = this.anyValue(end, depth)
      else this.skip(tag & 7, end)
      if (pbf.pos > end) throw new MalformedOtlp('a field runs over the end of its message')
    }
    if (key === '' || key === '__proto__' || count >= this.limits.attributes) this.truncated++
    else attributes[key] = value
  }

  anyValue(outerEnd: number, depth: number): AttributeValue {
    if (depth > this.limits.depth) throw new MalformedOtlp(`attribute values nested deeper than ${this.limits.depth}`)
    const end = this.messageEnd(outerEnd)
    const { pbf } = this
    let value: AttributeValue = null
    while (pbf.pos < end) {
      const tag = pbf.readVarint()
      if (tag === 10) value = this.text(end)
      else if (tag === 16) value = this.uint() !== 0
      else if (tag === 24) value = this.int64()
      else if (tag === 33) value = this.double()
      else if (tag === 42) value = this.list(end, depth)
      else if (tag === 50) value = this.map(end, depth)
      else if (tag === 58) value = this.blob(end)
      else this.skip(tag & 7, end)
      if (pbf.pos > end) throw new MalformedOtlp('a value runs over the end of its message')
    }
    return value
  }

  private list(outerEnd: number, depth: number): AttributeValue[] {
    const values: AttributeValue[] = []
    this.message(outerEnd, (field, type, end) => {
      if (field !== 1 || type !== BYTES) return
      const value = this.anyValue(end, depth + 1)
      if (values.length < this.limits.attributes) values.push(value)
      else this.truncated++
    })
    return values
  }

  private map(outerEnd: number, depth: number): Attributes {
    const attributes: Attributes = {}
    let count = 0
    this.message(outerEnd, (field, type, end) => {
      if (field === 1 && type === BYTES) this.keyValue(end, attributes, count++, depth + 1)
    })
    return attributes
  }
}

/** Runs a decoder; whatever it throws on broken bytes becomes MalformedOtlp. */
export function guarded<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof MalformedOtlp || error instanceof TooManyItems) throw error
    throw new MalformedOtlp((error as Error).message)
  }
}

// Strings that come again and again (keys, models, replicas) are made once: a direct-mapped table by a hash of their bytes.
const INTERN_BYTES = 40
const INTERN_SLOTS = 8_192
const interned: string[] = new Array(INTERN_SLOTS).fill('')

function intern(bytes: Buffer, start: number, end: number): string {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  const slot = (hash ^ (hash >>> 15)) & (INTERN_SLOTS - 1)
  const known = interned[slot] as string
  if (known.length === end - start && equals(known, bytes, start)) return known
  const text = bytes.toString('utf8', start, end)
  interned[slot] = text
  return text
}

/** Equal byte for character, which only ASCII text can be: a character above 127 never equals one byte of its own encoding. */
function equals(text: string, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 127 || code !== bytes[start + at]) return false
  }
  return true
}
