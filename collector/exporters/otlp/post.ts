// One try to hand an OTLP body to a receiver over HTTP, and what its answer means (OTLP 1.x, "OTLP/HTTP Response").
import type { IncomingMessage } from 'node:http'
import { PbfReader } from 'pbf'
import { http, https } from '../../../src/wire/http/node-http.ts'

export interface OtlpBody {
  bytes: Uint8Array
  contentType: string
  /** Absent for a body that is not compressed. */
  contentEncoding?: string
}

export type PostResult =
  /** Acknowledged; of its items `refused` were not taken (partial success). */
  | { kind: 'accepted'; refused: number }
  /** Come again: after `waitMs` where the receiver named a time. */
  | { kind: 'again'; reason: 'unavailable' | 'unreachable' | 'timeout'; waitMs: number | null }
  /** Never. */
  | { kind: 'refused'; status: number }

export interface Post {
  (body: OtlpBody): Promise<PostResult>
  /** Closes idle connections. */
  close(): void
}

const RETRYABLE = new Set([408, 429, 502, 503, 504])
/** An answer longer than this is not read further. */
const MAX_ANSWER_BYTES = 65_536

export interface PostSettings {
  /** Where bodies of this signal go, for example http://127.0.0.1:4318/v1/traces. */
  url: URL
  headers: Readonly<Record<string, string>>
  /** A try that takes longer is given up. */
  timeoutMs: number
}

export function createPost({ url, headers, timeoutMs }: PostSettings): Post {
  const isHttps = url.protocol === 'https:'
  const agent = isHttps ? new https.Agent({ keepAlive: true, maxSockets: 8 }) : new http.Agent({ keepAlive: true, maxSockets: 8 })
  const { request: send } = isHttps ? https : http

  function post(body: OtlpBody): Promise<PostResult> {
    return new Promise((resolve) => {
      const request = send(url, { agent, method: 'POST', headers: { ...headers, ...bodyHeaders(body) } }, (response) => {
        readAnswer(response, (answer) => {
          clearTimeout(timer)
          resolve(judge(response, answer))
        })
      })
      const timer = setTimeout(() => {
        resolve({ kind: 'again', reason: 'timeout', waitMs: null })
        request.destroy()
      }, timeoutMs)
      request.on('error', () => {
        clearTimeout(timer)
        resolve({ kind: 'again', reason: 'unreachable', waitMs: null })
      })
      request.end(body.bytes)
    })
  }
  return Object.assign(post, { close: () => agent.destroy() })
}

function bodyHeaders({ bytes, contentType, contentEncoding }: OtlpBody): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': contentType, 'content-length': String(bytes.length) }
  if (contentEncoding !== undefined) headers['content-encoding'] = contentEncoding
  return headers
}

/** At most MAX_ANSWER_BYTES; a longer answer, or one that breaks off, counts as far as it came. */
function readAnswer(response: IncomingMessage, onDone: (answer: Buffer) => void): void {
  const parts: Buffer[] = []
  let size = 0
  let done = false
  const finish = () => {
    if (done) return
    done = true
    onDone(Buffer.concat(parts))
  }
  response.on('data', (part: Buffer) => {
    parts.push(part)
    size += part.length
    if (size <= MAX_ANSWER_BYTES) return
    finish()
    response.destroy()
  })
  response.on('end', finish)
  response.on('error', finish)
  response.on('close', finish)
}

function judge(response: IncomingMessage, answer: Buffer): PostResult {
  const status = response.statusCode ?? 0
  if (status >= 200 && status < 300) return { kind: 'accepted', refused: refusedItems(answer, response.headers['content-type'] ?? '') }
  if (RETRYABLE.has(status)) return { kind: 'again', reason: 'unavailable', waitMs: retryAfter(response.headers['retry-after']) }
  return { kind: 'refused', status }
}

/** Delay of a `Retry-After` (RFC 9110 10.2.3) in whole seconds; its date form would compare two clocks and is not used. */
function retryAfter(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,6}$/.test(value.trim()) ? Number(value) * 1000 : null
}

/** `partial_success.rejected_spans` (or data points, log records: the same field) of an Export…ServiceResponse. */
function refusedItems(answer: Buffer, contentType: string): number {
  if (answer.length === 0) return 0
  try {
    if (contentType.includes('json')) {
      const partial = JSON.parse(answer.toString()).partialSuccess ?? {}
      return toCount(partial.rejectedSpans ?? partial.rejectedDataPoints ?? partial.rejectedLogRecords ?? 0)
    }
    let rejected = 0
    new PbfReader(answer).readFields((field, _result, reader) => {
      if (field !== 1) return
      reader.readMessage((inner, _inner, message) => {
        if (inner === 1) rejected = message.readVarint(true)
      }, null)
    }, null)
    return toCount(rejected)
  } catch {
    return 0
  }
}

function toCount(value: unknown): number {
  const count = Number(value)
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}
