// Raw TCP peers for the proxy's tests: an engine that answers exactly the bytes it is told to, and a client that sees exactly the
// bytes that came. No HTTP library stands between the test and the wire.
import { randomBytes } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { type Clock, createSystemClock } from '@longpole/model/clock'
import type { FinishedRequest } from './observation.ts'
import { createProxy, type ReverseProxy } from './proxy.ts'

/** A message as it is on the wire. */
export interface RawMessage {
  startLine: string
  headers: [string, string][]
  /** Body without its chunk framing. */
  body: Buffer
  trailers: [string, string][]
  /** The message ended as its framing says. */
  complete: boolean
}

export function headerOf(message: RawMessage, name: string): string[] {
  return message.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
}

/** Splits one message off the begin; null while its header section is not complete. */
export function parseMessage(bytes: Buffer, ended: boolean): RawMessage | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers = lines.map(splitField)
  const message: RawMessage = { startLine, headers, body: bytes.subarray(end + 4), trailers: [], complete: false }
  const [length] = headerOf(message, 'content-length')
  const isResponse = startLine.startsWith('HTTP/')
  if (headerOf(message, 'transfer-encoding').length > 0) return dechunk(message)
  if (length !== undefined) message.complete = message.body.length >= Number(length)
  else message.complete = !isResponse || ended || /^HTTP\/1\.1 (?:1|204|304)/.test(startLine)
  return message
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function dechunk(message: RawMessage): RawMessage {
  const parts: Buffer[] = []
  let rest = message.body
  for (;;) {
    const lineEnd = rest.indexOf('\r\n')
    if (lineEnd === -1) break
    const size = Number.parseInt(rest.toString('latin1', 0, lineEnd), 16)
    if (size === 0) {
      const trailerEnd = rest.indexOf('\r\n\r\n')
      if (trailerEnd !== -1) message.complete = true
      const text = rest.toString('latin1', lineEnd + 2, Math.max(lineEnd + 2, trailerEnd))
      message.trailers = text === '' ? [] : text.split('\r\n').map(splitField)
      break
    }
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size))
    if (rest.length < lineEnd + 2 + size + 2) break
    rest = rest.subarray(lineEnd + 2 + size + 2)
  }
  message.body = Buffer.concat(parts)
  return message
}

export interface Peer {
  port: number
  sockets: Set<Socket>
  close(): Promise<void>
}

/** Calls `serve` with each request as soon as it is complete (or `early`: with its header section). */
export async function startEngine(serve: (socket: Socket, request: RawMessage) => void, early = false): Promise<Peer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let bytes = Buffer.alloc(0)
    let served = false
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      const request = parseMessage(bytes, false)
      if (request === null || served || !(early || request.complete)) return
      served = early
      if (!early) bytes = Buffer.alloc(0)
      serve(socket, request)
    })
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    sockets,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

export interface RawClient {
  socket: Socket
  /** Everything received so far. */
  received(): Buffer
  /** Resolves with the first message once it is complete or the connection has ended. */
  response(): Promise<RawMessage>
  ended: Promise<'end' | 'error'>
}

export function startClient(port: number, bytes: Buffer | string): RawClient {
  const socket = connect(port, '127.0.0.1')
  const parts: Buffer[] = []
  let over: 'end' | 'error' | null = null
  const received = () => Buffer.concat(parts)
  const ended = new Promise<'end' | 'error'>((resolve) => {
    socket.on('error', () => {
      over = 'error'
      resolve('error')
    })
    socket.on('close', () => {
      over ??= 'end'
      resolve('end')
    })
  })
  socket.on('data', (chunk) => parts.push(chunk))
  socket.write(bytes)
  function response(): Promise<RawMessage> {
    return new Promise((resolve) => {
      const check = () => {
        const message = parseMessage(received(), over !== null)
        if (message === null && over === null) return
        if (message !== null && !message.complete && over === null) return
        resolve(message ?? { startLine: '', headers: [], body: Buffer.alloc(0), trailers: [], complete: false })
      }
      socket.on('data', check)
      socket.on('close', check)
      check()
    })
  }
  return { socket, received, response, ended }
}

export interface RunningProxy {
  proxy: ReverseProxy
  port: number
  records: FinishedRequest[]
  /** Resolves with the next record, or the first one that came already and was not asked for. */
  nextRecord(): Promise<FinishedRequest>
}

export async function startProxy(enginePort: number, clock: Clock = createSystemClock()): Promise<RunningProxy> {
  const records: FinishedRequest[] = []
  const waiting: ((record: FinishedRequest) => void)[] = []
  let taken = 0
  const proxy = createProxy({
    upstream: new URL(`http://127.0.0.1:${enginePort}`),
    clock,
    randomBytes,
    upstreamIdleMs: 4_000,
    sink: {
      finished(record) {
        records.push(record)
        if (waiting.length > 0) {
          taken++
          waiting.shift()?.(record)
        }
      },
    },
  })
  const port = await proxy.listen('127.0.0.1', 0)
  function nextRecord(): Promise<FinishedRequest> {
    const record = records[taken]
    if (record === undefined) return new Promise((resolve) => waiting.push(resolve))
    taken++
    return Promise.resolve(record)
  }
  return { proxy, port, records, nextRecord }
}
