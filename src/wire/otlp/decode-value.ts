// Reading OTLP protobuf safely: every length is checked against its message, nesting and sizes are limited. The base under decode.ts,
// decode-metrics.ts and decode-logs.ts; field numbers are those of opentelemetry-proto common/v1.
import type { Attributes, AttributeValue } from '@longpole/model/span'
import { TextReader } from './decode-text.ts'

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
const MAX_VARINT_BYTES = 10

/** A protobuf reader that never leaves its message. */
export class OtlpReader {
  readonly limits: DecodeLimits
  /** Attributes, events, links and string ends left out because of a limit. */
  truncated = 0
  items = 0
  position = 0
  private readonly bytes: Buffer
  private readonly view: DataView
  private readonly texts: TextReader

  constructor(body: Uint8Array, limits: DecodeLimits) {
    this.bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    this.texts = new TextReader(this.bytes)
    this.limits = limits
  }

  get length(): number {
    return this.bytes.length
  }

  /** Counts one item against the body's limit. */
  countItem(): void {
    if (++this.items > this.limits.items) throw new TooManyItems(`more than ${this.limits.items} items in one body`)
  }

  /** Calls `onField` for each field until `end`. A field that it does not read is skipped. */
  fields(end: number, onField: (field: number, type: number) => void): void {
    while (this.position < end) {
      const tag = this.tag(end)
      const start = this.position
      onField(tag >>> 3, tag & 7)
      if (this.position === start) this.skip(tag & 7, end)
      this.checkEnd(end)
    }
  }

  /** Field number and wire type of the next field. */
  tag(end: number): number {
    const tag = this.uint()
    if (this.position > end) throw new MalformedOtlp('a field tag runs over the end of its message')
    return tag
  }

  /** To be asked when a field was read. */
  checkEnd(end: number): void {
    if (this.position > end) throw new MalformedOtlp('a field runs over the end of its message')
  }

  skip(type: number, end: number): void {
    if (type === BYTES) this.position = this.messageEnd(end)
    else if (type === VARINT) this.uint()
    else if (type === FIXED64) this.position += 8
    else if (type === FIXED32) this.position += 4
    else throw new MalformedOtlp(`wire type ${type} is not used by OTLP`)
  }

  /** Reads a length and gives the position behind it. */
  messageEnd(outerEnd: number): number {
    const length = this.uint()
    if (length > outerEnd - this.position) throw new MalformedOtlp('a length runs over the end of its message')
    return this.position + length
  }

  /** A varint as a number, not exact beyond 2^53. */
  uint(): number {
    const first = this.bytes[this.position] as number
    if (first < 0x80) {
      this.position++
      return first
    }
    return this.longUint()
  }

  private longUint(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.bytes[this.position++]
      if (byte === undefined) throw new MalformedOtlp('a number runs over the end of the body')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    throw new MalformedOtlp(`a number of more than ${MAX_VARINT_BYTES} bytes`)
  }

  /** An int64: a number where it is exact, else a bigint. */
  int64(): number | bigint {
    const start = this.position
    const value = this.uint()
    if (Number.isSafeInteger(value)) return value
    let wide = 0n
    for (let at = start; at < this.position; at++) wide |= BigInt((this.bytes[at] as number) & 0x7f) << BigInt(7 * (at - start))
    const signed = BigInt.asIntN(64, wide)
    return signed >= Number.MIN_SAFE_INTEGER && signed <= Number.MAX_SAFE_INTEGER ? Number(signed) : signed
  }

  fixed32(): number {
    const at = this.take(4)
    return this.view.getUint32(at, true)
  }

  double(): number {
    const at = this.take(8)
    return this.view.getFloat64(at, true)
  }

  /** A fixed64 as bigint: instants of Unix nanoseconds are beyond 2^53. */
  fixed64(): bigint {
    const at = this.take(8)
    return this.view.getBigUint64(at, true)
  }

  /** A signed fixed64 as a number, as sums and counts use it. */
  sfixed64(): number {
    const at = this.take(8)
    return Number(this.view.getBigInt64(at, true))
  }

  private take(count: number): number {
    const at = this.position
    if (count > this.bytes.length - at) throw new MalformedOtlp('a number runs over the end of the body')
    this.position = at + count
    return at
  }

  /** A trace or span id as lower-case hexadecimal digits; empty where it has another length. */
  id(outerEnd: number, size: 8 | 16): string {
    const end = this.messageEnd(outerEnd)
    const start = this.position
    this.position = end
    return end - start === size ? this.bytes.toString('hex', start, end) : ''
  }

  text(outerEnd: number): string {
    const end = this.messageEnd(outerEnd)
    const start = this.position
    this.position = end
    if (end - start <= this.limits.textBytes) return this.texts.read(start, end)
    this.truncated++
    return this.bytes.toString('utf8', start, start + this.limits.textBytes)
  }

  private blob(outerEnd: number): Uint8Array {
    const end = this.messageEnd(outerEnd)
    const start = this.position
    this.position = end
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
    while (this.position < end) {
      const tag = this.tag(end)
      if (tag === 10) key = this.key(end, count)
      else if (tag === 18) value = this.anyValue(end, depth)
      else this.skip(tag & 7, end)
      this.checkEnd(end)
    }
    if (key === '' || key === '__proto__' || count >= this.limits.attributes) this.truncated++
    else attributes[key] = value
  }

  private key(outerEnd: number, count: number): string {
    const start = this.position
    const length = this.uint()
    if (length > 0 && length <= outerEnd - this.position && length <= this.limits.textBytes) {
      const from = this.position
      this.position = from + length
      return this.texts.readKey(from, this.position, count)
    }
    this.position = start
    return this.text(outerEnd)
  }

  anyValue(outerEnd: number, depth: number): AttributeValue {
    if (depth > this.limits.depth) throw new MalformedOtlp(`attribute values nested deeper than ${this.limits.depth}`)
    const end = this.messageEnd(outerEnd)
    let value: AttributeValue = null
    while (this.position < end) {
      const tag = this.tag(end)
      if (tag === 10) value = this.text(end)
      else if (tag === 16) value = this.uint() !== 0
      else if (tag === 24) value = this.int64()
      else if (tag === 33) value = this.double()
      else if (tag === 42) value = this.list(end, depth)
      else if (tag === 50) value = this.map(end, depth)
      else if (tag === 58) value = this.blob(end)
      else this.skip(tag & 7, end)
      if (this.position > end) throw new MalformedOtlp('a value runs over the end of its message')
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
