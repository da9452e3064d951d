// OTLP over HTTP: POST /v1/{traces,metrics,logs}, protobuf and JSON, gzip. The sender is answered only when the handler has decided:
// for spans that is when they are in the store.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { decodeTraces, MalformedOtlp, TooManyItems } from '../../../src/wire/otlp/decode.ts'
import { decodeLogsJson, decodeMetricsJson, decodeTracesJson } from '../../../src/wire/otlp/decode-json.ts'
import { decodeLogs } from '../../../src/wire/otlp/decode-logs.ts'
import { decodeMetrics } from '../../../src/wire/otlp/decode-metrics.ts'
import { RefusedBody, readBody } from './body.ts'
import { Code, encodeResponse, encodeResponseJson, encodeStatus, encodeStatusJson } from './reply.ts'
import type { BodyRefusal, OtlpHandlers, ReceiverSettings, Signal, Verdict } from './verdict.ts'

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
/** JSON.parse makes of a body some ten times its size in objects. */
const JSON_BYTES = 8_388_608

const SIGNALS: Record<string, Signal> = { '/v1/traces': 'traces', '/v1/metrics': 'metrics', '/v1/logs': 'logs' }

const STATUS: Record<BodyRefusal, { http: number; code: number }> = {
  malformed: { http: 400, code: Code.invalidArgument },
  broken_off: { http: 400, code: Code.invalidArgument },
  too_large: { http: 413, code: Code.invalidArgument },
  too_many_items: { http: 413, code: Code.invalidArgument },
  media_type: { http: 415, code: Code.invalidArgument },
  encoding: { http: 415, code: Code.invalidArgument },
  unauthorized: { http: 401, code: Code.unauthenticated },
  overloaded: { http: 429, code: Code.resourceExhausted },
}

export function createHttpReceiver(settings: ReceiverSettings): Server {
  const { handlers, bodyBytes, inFlight, authorize, onRefused, onError } = settings

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const signal = SIGNALS[(request.url ?? '').split('?')[0] as string]
    if (signal === undefined) return answer(response, 404, false, Code.unimplemented, 'expected /v1/traces, /v1/metrics or /v1/logs')
    if (request.method !== 'POST') return answer(response, 405, false, Code.unimplemented, 'expected POST', { allow: 'POST' })
    const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
    const isJson = mediaType === JSON_TYPE
    const taken = { bytes: 0 }
    try {
      if (!authorize(request.headers.authorization)) throw new RefusedBody('unauthorized', 'a bearer token is needed')
      if (!isJson && mediaType !== PROTOBUF) throw new RefusedBody('media_type', `content-type: expected ${PROTOBUF} or ${JSON_TYPE}`)
      const body = await readBody(request, isJson ? Math.min(bodyBytes, JSON_BYTES) : bodyBytes, inFlight, taken)
      await ownTurn()
      conclude(response, signal, isJson, await handle(handlers, signal, isJson, body))
    } catch (error) {
      const refusal = asRefusal(error)
      if (refusal === null) {
        onError(error)
        answer(response, 500, isJson, Code.internal, 'internal error')
        return
      }
      onRefused(refusal.reason)
      const { http, code } = STATUS[refusal.reason]
      const headers: Record<string, string> = refusal.reason === 'overloaded' ? { 'retry-after': '1' } : {}
      // What is left of the body is not wanted: the connection ends with the answer.
      if (!request.complete) response.setHeader('connection', 'close')
      answer(response, http, isJson, code, refusal.message, headers)
    } finally {
      inFlight.give(taken.bytes)
    }
  }

  let lastTurn: Promise<void> = Promise.resolve()
  /** A turn of the event loop for each body: many that are complete at once must not hold up whoever else asks the hub something. */
  function ownTurn(): Promise<void> {
    lastTurn = lastTurn.then(() => new Promise((resume) => setImmediate(resume)))
    return lastTurn
  }

  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: 75_000 }, (request, response) => {
    response.on('error', () => {})
    receive(request, response).catch(onError)
  })
  server.maxRequestsPerSocket = 0
  return server
}

/** Decodes and hands over. The work of a body is done when the sender is answered, so nothing of it waits elsewhere uncounted. */
function handle(handlers: OtlpHandlers, signal: Signal, isJson: boolean, body: Buffer): Promise<Verdict> {
  if (signal === 'traces') return handlers.traces(isJson ? decodeTracesJson(body) : decodeTraces(body))
  if (signal === 'logs') return handlers.logs(isJson ? decodeLogsJson(body) : decodeLogs(body))
  return handlers.metrics(isJson ? decodeMetricsJson(body) : decodeMetrics(body))
}

export function asRefusal(error: unknown): RefusedBody | null {
  if (error instanceof RefusedBody) return error
  if (error instanceof MalformedOtlp) return new RefusedBody('malformed', `not OTLP: ${error.message}`)
  if (error instanceof TooManyItems) return new RefusedBody('too_many_items', error.message)
  return null
}

function conclude(response: ServerResponse, signal: Signal, isJson: boolean, verdict: Verdict): void {
  if (verdict.kind === 'taken') {
    const body = isJson ? encodeResponseJson(signal, verdict.rejected, verdict.message) : encodeResponse(verdict.rejected, verdict.message)
    send(response, 200, isJson, body, {})
    return
  }
  const isOverload = verdict.cause === 'overloaded'
  const code = isOverload ? Code.resourceExhausted : Code.unavailable
  answer(response, isOverload ? 429 : 503, isJson, code, verdict.message, { 'retry-after': String(verdict.afterSeconds) })
}

function answer(
  response: ServerResponse,
  status: number,
  isJson: boolean,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  send(response, status, isJson, isJson ? encodeStatusJson(code, message) : encodeStatus(code, message), headers)
}

function send(response: ServerResponse, status: number, isJson: boolean, body: Buffer, headers: Record<string, string>): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': isJson ? JSON_TYPE : PROTOBUF, 'content-length': body.length, ...headers })
  response.end(body)
}
