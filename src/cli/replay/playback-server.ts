// A server that answers as a recorded one did: the same status, headers and bytes, each chunk at its recorded distance from the
// request. The exchange is named by a request header, so that a proxy in between changes nothing.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RecordedExchange } from './exchange.ts'

export const EXCHANGE_HEADER = 'x-longpole-replay'

/** Written by the HTTP layer itself, or about the recorded connection. */
const OWN_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date', 'content-encoding'])

export interface PlaybackServer {
  url: string
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. Other paths answer 404, `/health` and `/metrics` too: there is no engine. */
export async function startPlaybackServer(exchanges: readonly RecordedExchange[]): Promise<PlaybackServer> {
  const server = createServer((request, response) => {
    const exchange = exchanges[Number(request.headers[EXCHANGE_HEADER] ?? -1)]
    if (exchange === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"no such recorded exchange"}}')
      return
    }
    // The recorded moments count from the request's last byte.
    request.on('data', () => {})
    request.on('end', () => void play(exchange, request, response))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function play(exchange: RecordedExchange, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const begin = performance.now()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  request.socket.setNoDelay(true)
  const until = (ms: number) => sleepUntil(begin + ms, gone.signal)
  if (exchange.headersMs === null) return
  await until(exchange.headersMs)
  if (gone.signal.aborted) return
  const headers = exchange.responseHeaders.filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()))
  response.writeHead(exchange.status, headers.flat())
  response.flushHeaders()
  for (const { atMs, bytes } of exchange.chunks) {
    if (atMs > performance.now() - begin) await until(atMs)
    if (gone.signal.aborted) return
    response.write(bytes)
  }
  await until(exchange.endMs)
  response.end()
}

/** Resolves at the moment, or at once when the signal aborts. */
export function sleepUntil(momentMs: number, signal?: AbortSignal): Promise<void> {
  const left = momentMs - performance.now()
  if (left <= 0 || signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(done, left)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
}
