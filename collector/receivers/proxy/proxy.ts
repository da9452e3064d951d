// The streaming reverse proxy in front of one inference server: accepts, gives each request its place in a trace, and hands it to an
// Exchange. Runs on the thread that only moves bytes; observations leave through the sink.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '@longpole/model/clock'
import { http } from '../../../src/wire/http/node-http.ts'
import { Exchange, type ExchangeContext, type Forwarded } from './exchange.ts'
import { type DecidingFields, decidingFields, refusal } from './headers.ts'
import type { ObservationSink, OpenExchange, RequestIdentity } from './observation.ts'
import { RequestObserver } from './request-observer.ts'
import { createIdSource, formatTraceparent, type IdSource, parseTraceparent, type RandomBytes, type TraceContext } from './trace-context.ts'
import { relayUpgrade } from './upgrade.ts'
import { createUpstream, TCP_KEEPALIVE_MS, type UpstreamTarget } from './upstream.ts'

export interface ProxySettings {
  /** Base address of the engine; its path is not used. */
  upstream: URL
  clock: Clock
  randomBytes: RandomBytes
  sink: ObservationSink
  /** Milliseconds that an idle connection to the engine is kept. */
  upstreamIdleMs: number
}

export interface ReverseProxy {
  readonly server: Server
  /** Resolves with the port that was taken. Rejects with the system's error. */
  listen(host: string, port: number): Promise<number>
  readonly openCount: number
  /** Requests in flight, oldest first; one that waits for a slow client to take its last bytes is not among them. */
  openRequests(): Iterable<OpenExchange>
  /** Stops accepting; resolves when the last request has ended. */
  drain(): Promise<void>
  /** Breaks what is left. */
  close(): void
}

/** Header sections up to this size pass, in both directions. */
const MAX_HEADER_BYTES = 65_536
/** Time for a client to send its header section. */
const HEADERS_TIMEOUT_MS = 60_000
/** Above the idle time of common load balancers (60 s), so that they close first. */
const KEEP_ALIVE_MS = 75_000
const MAX_PATH = 256
/** Characters of `x-request-id` that are kept. */
const MAX_REQUEST_ID = 256

export function createProxy(settings: ProxySettings): ReverseProxy {
  const { clock, sink } = settings
  const ids = createIdSource(settings.randomBytes)
  const target = targetOf(settings.upstream)
  const upstream = createUpstream(target, settings.upstreamIdleMs)
  const open = new Set<Exchange>()
  let upgrades = 0
  let draining = false
  let onIdle: (() => void) | null = null

  const context: ExchangeContext = {
    clock,
    upstream,
    isDraining: () => draining,
    finished: (record) => sink.finished(record),
    closed(exchange) {
      open.delete(exchange)
      settle()
    },
  }

  function settle(): void {
    if (draining && open.size + upgrades === 0) onIdle?.()
  }

  function accept(request: IncomingMessage, response: ServerResponse): void {
    const startMs = clock.monotonicMs()
    const fields = decidingFields(request.rawHeaders)
    const { identity, forwarded } = identify(request, fields, clock.unixNano(), ids)
    const exchange = new Exchange(request, response, new RequestObserver(identity, clock, startMs), context)
    open.add(exchange)
    const refused = refusal(fields, request.httpVersion)
    if (refused !== null) exchange.refuse(400, 'bad_request', refused)
    else exchange.start(forwarded)
  }

  const server = createProxyServer()
  // Pipelined requests each listen for the end of their connection.
  server.on('connection', (socket) => socket.setMaxListeners(0))
  server.on('request', accept)
  // What is expected is asked of the engine: its 100 goes back to the client, its refusal too.
  server.on('checkContinue', accept)
  server.on('checkExpectation', accept)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refused = refusal(decidingFields(request.rawHeaders), request.httpVersion)
    if (refused !== null) {
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${refused.length}\r\n\r\n${refused}`,
      )
      return
    }
    upgrades++
    relayUpgrade(request, socket, head, target, () => {
      upgrades--
      settle()
    })
  })

  return {
    server,
    listen: (host, port) => listen(server, host, port),
    get openCount() {
      return open.size + upgrades
    },
    *openRequests() {
      for (const exchange of open) if (!exchange.ended) yield exchange.observer.open()
    },
    drain() {
      draining = true
      server.close()
      server.closeIdleConnections()
      return new Promise((resolve) => {
        onIdle = resolve
        settle()
      })
    },
    close() {
      server.close()
      server.closeAllConnections()
      upstream.close()
    },
  }
}

/** Nothing here may cut a slow upload, a late first token or a long stream. */
function createProxyServer(): Server {
  const server = http.createServer({
    requestTimeout: 0,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    // Clients that offer h2c with an ordinary request (Java's HttpClient) are ordinary.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
  })
  server.timeout = 0
  server.maxHeadersCount = 0
  return server
}

function targetOf({ protocol, hostname, port }: URL): UpstreamTarget {
  return { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
}

/** The request's place in its trace, and what is sent on. A malformed or doubled `traceparent` starts a new trace. */
function identify(request: IncomingMessage, fields: DecidingFields, startUnixNano: bigint, ids: IdSource) {
  const { method = '', url = '/' } = request
  const { traceparents, tenant, session, synthetic } = fields
  const given: TraceContext | null = traceparents.length === 1 ? parseTraceparent(traceparents[0] as string) : null
  const { traceId, parentSpanId, flags } = given ?? ids.newTrace()
  const spanId = ids.newSpanId()
  // Forwarded as it came, kept as far as names are.
  const requestId = fields.requestId?.slice(0, MAX_REQUEST_ID) ?? ids.newRequestId()
  const query = url.indexOf('?')
  const path = (query === -1 ? url : url.slice(0, query)).slice(0, MAX_PATH)
  const traceState = given === null ? '' : fields.tracestate
  const trace = { traceId, spanId, parentSpanId, traceFlags: flags, traceState }
  const identity: RequestIdentity = { ...trace, requestId, startUnixNano, method, path, synthetic, tenant, session }
  const forwarded: Forwarded = {
    traceparent: formatTraceparent(traceId, spanId, flags),
    requestId: fields.requestId === null ? requestId : null,
  }
  return { identity, forwarded }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
