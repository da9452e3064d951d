// Reads one HTTP body within its limits: counted before it is kept, decompressed with a cap on what comes out (a kilobyte of gzip can
// hold a megabyte of zeros), one layer of gzip and nothing else.
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, gunzipSync } from 'node:zlib'
import type { BodyRefusal, InFlightBytes } from './verdict.ts'

export class RefusedBody extends Error {
  readonly reason: BodyRefusal

  constructor(reason: BodyRefusal, message: string) {
    super(message)
    this.reason = reason
  }
}

const gunzipAsync = promisify(gunzip)
/** Below this a thread hop costs more than inflating in place (about a millisecond). */
const SYNC_BYTES = 262_144
const LARGE_BYTES = 1_048_576

/** The body, decompressed. `taken` collects what was counted as in flight, to be given back when the request is answered. */
export async function readBody(
  request: IncomingMessage,
  bodyBytes: number,
  inFlight: InFlightBytes,
  taken: { bytes: number },
): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip') throw new RefusedBody('encoding', 'content-encoding: expected gzip or identity')
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > bodyBytes) throw tooLarge(bodyBytes)
  const raw = await collect(request, bodyBytes, announced, (bytes) => count(bytes, inFlight, taken))
  if (encoding === 'identity') return raw
  return inflate(raw, bodyBytes, (bytes) => count(bytes, inFlight, taken))
}

function count(bytes: number, inFlight: InFlightBytes, taken: { bytes: number }): void {
  if (!inFlight.take(bytes)) throw new RefusedBody('overloaded', 'too many bodies in work: send again later')
  taken.bytes += bytes
}

async function collect(request: IncomingMessage, bodyBytes: number, announced: number, take: (bytes: number) => void): Promise<Buffer> {
  // Of a large body whose length is known the pieces go to their place at once; joined at its end it would be in memory twice. What is
  // announced and never sent costs nothing: memory that was not written to is not there yet.
  const whole = announced >= LARGE_BYTES ? Buffer.allocUnsafeSlow(announced) : null
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (size + chunk.length > bodyBytes) throw tooLarge(bodyBytes)
      take(chunk.length)
      if (whole === null) chunks.push(chunk)
      else chunk.copy(whole, size)
      size += chunk.length
    }
  } catch (error) {
    if (error instanceof RefusedBody) throw error
    throw new RefusedBody('broken_off', 'the body broke off')
  }
  if (whole !== null) return whole.subarray(0, size)
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
}

async function inflate(raw: Buffer, bodyBytes: number, take: (bytes: number) => void): Promise<Buffer> {
  try {
    const options = { maxOutputLength: bodyBytes }
    const body = raw.length <= SYNC_BYTES ? gunzipSync(raw, options) : await gunzipAsync(raw, options)
    take(body.length)
    return body
  } catch (error) {
    if (error instanceof RefusedBody) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bodyBytes)
    throw new RefusedBody('malformed', 'the body is not valid gzip')
  }
}

function tooLarge(bodyBytes: number): RefusedBody {
  return new RefusedBody('too_large', `the body is larger than ${bodyBytes} bytes (limits.bodyBytes)`)
}
