// Receives the engine's own spans over OTLP/HTTP and passes their bytes on untranslated: only the hub translates.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { http } from '../../src/wire/http/node-http.ts'
import type { OtlpBody } from '../exporters/otlp/post.ts'
import { countJsonSpans, countProtobufSpans, MAX_BODY_BYTES, MalformedBody, unpack } from './count-spans.ts'
import { PROTOBUF } from './span-batch.ts'

export interface EngineSpansSettings {
  /** Takes a body; its spans are ours to deliver from now on. */
  take(body: OtlpBody, spans: number): void
  /** The queue towards the hub is nearly full: senders are told to come again. */
  isFull(): boolean
}

/** Seconds after which a sender may come again. */
const RETRY_AFTER = '5'

/** An HTTP server that is not listening yet. */
export function createEngineSpansServer(settings: EngineSpansSettings): Server {
  return http.createServer({ requestTimeout: 30_000 }, (request, response) => {
    receive(request, response, settings).catch((error) => {
      if (error instanceof MalformedBody) reply(response, 400, error.message)
      else reply(response, 400, 'the body broke off')
    })
  })
}

async function receive(request: IncomingMessage, response: ServerResponse, { take, isFull }: EngineSpansSettings): Promise<void> {
  const refusal = refuse(request)
  if (refusal !== null) return reply(response, ...refusal)
  if (isFull()) {
    response.setHeader('retry-after', RETRY_AFTER)
    return reply(response, 503, 'the queue towards the hub is full')
  }
  const bytes = await readBody(request)
  if (bytes === null) return reply(response, 413, `more than ${MAX_BODY_BYTES} bytes`)
  const contentEncoding = request.headers['content-encoding'] === 'gzip' ? 'gzip' : undefined
  const plain = contentEncoding === undefined ? bytes : await unpack(bytes)
  const isJson = contentTypeOf(request) === 'application/json'
  const spans = isJson ? countJsonSpans(plain) : countProtobufSpans(plain)
  take({ bytes, contentType: isJson ? 'application/json' : PROTOBUF, contentEncoding }, spans)
  response.writeHead(200, { 'content-type': isJson ? 'application/json' : PROTOBUF })
  response.end(isJson ? '{}' : '')
}

function contentTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

function refuse(request: IncomingMessage): [number, string] | null {
  if (request.url !== '/v1/traces') return [404, 'only /v1/traces is received here']
  if (request.method !== 'POST') return [405, 'expected POST']
  if (contentTypeOf(request) !== PROTOBUF && contentTypeOf(request) !== 'application/json')
    return [415, `expected ${PROTOBUF} or application/json`]
  const encoding = request.headers['content-encoding'] ?? 'identity'
  return encoding === 'identity' || encoding === 'gzip' ? null : [415, 'expected content-encoding gzip or none']
}

/** Null where the body is larger than allowed. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MAX_BODY_BYTES) return null
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function reply(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' })
  response.end(`${message}\n`)
}
