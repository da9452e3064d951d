// How many spans an OTLP trace body holds, without decoding them: the engine's own spans pass through as the bytes they came as.
import { createGunzip } from 'node:zlib'
import { PbfReader } from 'pbf'

/** Of one body after decompression. */
export const MAX_BODY_BYTES = 20 * 1024 * 1024

export class MalformedBody extends Error {
  override readonly name = 'MalformedBody'
}

/** ExportTraceServiceRequest in protobuf. Throws MalformedBody. */
export function countProtobufSpans(body: Uint8Array): number {
  const reader = new PbfReader(body)
  let spans = 0
  eachMessage(reader, body.length, 1, (resourceEnd) => {
    eachMessage(reader, resourceEnd, 2, (scopeEnd) => {
      eachMessage(reader, scopeEnd, 2, (spanEnd) => {
        spans++
        reader.pos = spanEnd
      })
    })
  })
  return spans
}

/** Calls `onMessage` at the begin of each length-delimited `field` up to `end`; others are skipped. */
function eachMessage(reader: PbfReader, end: number, field: number, onMessage: (messageEnd: number) => void): void {
  while (reader.pos < end) {
    const tag = readVarint(reader, end)
    const type = tag & 7
    if (type === 2) {
      const length = readVarint(reader, end)
      const messageEnd = reader.pos + length
      if (length < 0 || messageEnd > end) throw new MalformedBody('a length goes beyond its message')
      if (tag >>> 3 === field) onMessage(messageEnd)
      reader.pos = messageEnd
    } else if (type === 0) readVarint(reader, end)
    else if (type === 1) reader.pos += 8
    else if (type === 5) reader.pos += 4
    else throw new MalformedBody(`wire type ${type}`)
    if (reader.pos > end) throw new MalformedBody('a field goes beyond its message')
  }
}

function readVarint(reader: PbfReader, end: number): number {
  let value = 0
  for (let shift = 0; shift < 70; shift += 7) {
    if (reader.pos >= end) throw new MalformedBody('truncated')
    const byte = reader.buf[reader.pos++] as number
    if (shift < 49) value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
  throw new MalformedBody('a varint of more than ten bytes')
}

/** The same in OTLP's JSON. Throws MalformedBody. */
export function countJsonSpans(body: Uint8Array): number {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    throw new MalformedBody('not JSON')
  }
  const list = (value: unknown, key: string): unknown[] => {
    const inner = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
    return Array.isArray(inner) ? inner : []
  }
  let spans = 0
  for (const resource of list(parsed, 'resourceSpans'))
    for (const scope of list(resource, 'scopeSpans')) spans += list(scope, 'spans').length
  return spans
}

/** One layer of gzip, at most MAX_BODY_BYTES of it. Rejects with MalformedBody. */
export function unpack(body: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    const gunzip = createGunzip()
    gunzip.on('data', (part: Buffer) => {
      parts.push(part)
      size += part.length
      if (size > MAX_BODY_BYTES) gunzip.destroy(new MalformedBody(`more than ${MAX_BODY_BYTES} bytes`))
    })
    gunzip.on('end', () => resolve(Buffer.concat(parts)))
    gunzip.on('error', (error) => reject(error instanceof MalformedBody ? error : new MalformedBody('not gzip')))
    gunzip.end(body)
  })
}
