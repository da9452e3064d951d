// Connections to the engine: most recently used first, one request at a time, closed by us while idle before the engine would close
// them, never timed out while a request is on them. A request is sent once and never again.
import { connect, type Socket } from 'node:net'
import { type MalformedResponse, type ResponseHandler, ResponseParser } from './response-parser.ts'

/** Interval of TCP keep-alive probes, milliseconds: finds peers that are gone without a word. */
export const TCP_KEEPALIVE_MS = 60_000

export interface UpstreamTarget {
  protocol: string
  hostname: string
  port: number
}

export interface UpstreamEvents extends ResponseHandler {
  onConnected(reused: boolean): void
  /** The whole request is with the kernel. */
  onSent(): void
  /** More of the request may be written. */
  onDrain(): void
  /** Called around what one read brings. */
  onReadBegin(): void
  onReadEnd(): void
  /** The connection broke, or what came is no response; nothing follows. */
  onError(error: Error): void
}

export interface OutgoingHead {
  method: string
  path: string
  /** Name, value, … as they are to be written. */
  headers: readonly string[]
  /** The body is written in chunks. */
  chunked: boolean
}

export interface UpstreamRequest {
  /** False: wait for onDrain. */
  write(chunk: Buffer): boolean
  end(trailers: readonly string[]): void
  pause(): void
  resume(): void
  /** Breaks the connection; no event follows. */
  destroy(): void
}

export interface Upstream {
  request(head: OutgoingHead, events: UpstreamEvents): UpstreamRequest
  readonly idleCount: number
  close(): void
}

export function createUpstream(target: UpstreamTarget, idleMs: number): Upstream {
  const idle: Connection[] = []
  const sweepMs = Math.max(10, Math.min(500, idleMs / 4))
  const sweep = setInterval(() => {
    const now = performance.now()
    while (idle.length > 0 && (idle[0] as Connection).idleUntilMs <= now) (idle.shift() as Connection).socket.destroy()
  }, sweepMs)
  sweep.unref()

  const pool: Pool = {
    release(connection, keepMs) {
      connection.idleUntilMs = performance.now() + Math.min(idleMs, keepMs)
      idle.push(connection)
    },
    forget(connection) {
      const index = idle.indexOf(connection)
      if (index !== -1) idle.splice(index, 1)
    },
  }
  return {
    request(head, events) {
      const now = performance.now()
      let connection = idle.pop()
      while (connection !== undefined && (connection.socket.destroyed || connection.idleUntilMs <= now)) {
        connection.socket.destroy()
        connection = idle.pop()
      }
      return (connection ?? new Connection(open(target), pool)).start(head, events)
    },
    get idleCount() {
      return idle.length
    },
    close() {
      clearInterval(sweep)
      for (const connection of idle.splice(0)) connection.socket.destroy()
    },
  }
}

function open({ protocol, hostname, port }: UpstreamTarget): Socket {
  const options = { host: hostname, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS }
  if (protocol !== 'https:') return connect(options)
  const tls = process.getBuiltinModule('node:tls')
  return tls.connect({
    ...options,
    servername: /[a-z]/i.test(hostname) && !hostname.includes(':') ? hostname : '',
    ALPNProtocols: ['http/1.1'],
  })
}

interface Pool {
  release(connection: Connection, keepMs: number): void
  forget(connection: Connection): void
}

/** One socket for its whole life: its listeners stay, the request on it changes. */
class Connection implements UpstreamRequest {
  readonly socket: Socket
  idleUntilMs = 0
  readonly #pool: Pool
  #events: UpstreamEvents | null = null
  #parser: ResponseParser | null = null
  #chunked = false
  #requestEnded = false
  #unsent = 0
  #isConnected = false
  #keepMs = Number.POSITIVE_INFINITY
  #error: Error | null = null

  constructor(socket: Socket, pool: Pool) {
    this.socket = socket
    this.#pool = pool
    socket.on(('encrypted' in socket ? 'secureConnect' : 'connect') as 'connect', () => {
      this.#isConnected = true
      this.#events?.onConnected(false)
    })
    socket.on('data', (read: Buffer) => this.#onRead(read))
    socket.on('drain', () => this.#events?.onDrain())
    socket.on('end', () => this.#onClosed())
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => this.#onClosed())
  }

  start({ method, path, headers, chunked }: OutgoingHead, events: UpstreamEvents): UpstreamRequest {
    this.#events = events
    this.#parser = new ResponseParser(this.#handlerOf(events), method === 'HEAD')
    this.#chunked = chunked
    this.#requestEnded = false
    this.#unsent = 0
    this.#keepMs = Number.POSITIVE_INFINITY
    if (this.#isConnected) events.onConnected(true)
    let text = `${method} ${path} HTTP/1.1\r\n`
    for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`
    const { socket } = this
    // The head leaves together with the part of the body that is there already.
    socket.cork()
    process.nextTick(uncork, socket)
    this.#send(`${text}\r\n`)
    return this
  }

  /** Watches for the end, which frees the connection. */
  #handlerOf(events: UpstreamEvents): ResponseHandler {
    return {
      onInformation: (head) => events.onInformation(head),
      onHead: (head) => {
        this.#keepMs = keepAliveHintMs(head.headers)
        events.onHead(head)
      },
      onBody: (chunk) => events.onBody(chunk),
      onEnd: (trailers) => events.onEnd(trailers),
    }
  }

  #send(data: Buffer | string): boolean {
    this.#unsent++
    const flushed = this.#onFlushed
    return typeof data === 'string' ? this.socket.write(data, 'latin1', flushed) : this.socket.write(data, flushed)
  }

  readonly #onFlushed = (error?: Error | null): void => {
    if (error) return
    this.#unsent--
    this.#checkSent()
  }

  #checkSent(): void {
    if (this.#requestEnded && this.#unsent === 0) this.#events?.onSent()
  }

  write(chunk: Buffer): boolean {
    if (!this.#chunked) return this.#send(chunk)
    const { socket } = this
    socket.cork()
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    socket.write(chunk)
    const goesOn = this.#send('\r\n')
    socket.uncork()
    return goesOn
  }

  end(trailers: readonly string[]): void {
    this.#requestEnded = true
    if (this.#chunked) {
      let text = '0\r\n'
      for (let index = 0; index < trailers.length; index += 2) text += `${trailers[index]}: ${trailers[index + 1]}\r\n`
      this.#send(`${text}\r\n`)
    } else this.#checkSent()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  destroy(): void {
    this.#events = null
    this.socket.destroy()
  }

  #onRead(read: Buffer): void {
    const parser = this.#parser
    const events = this.#events
    if (parser === null || events === null) {
      // Nobody asked: a server that times a connection out says so, or worse.
      this.socket.destroy()
      return
    }
    events.onReadBegin()
    let taken = 0
    let broken: MalformedResponse | null = null
    try {
      taken = parser.execute(read)
    } catch (error) {
      broken = error as MalformedResponse
    }
    events.onReadEnd()
    if (broken !== null) this.#fail(broken)
    else if (parser.isDone) this.#free(parser, taken === read.length)
  }

  #free(parser: ResponseParser, nothingFollows: boolean): void {
    if (this.#events === null) return
    const mayStay = parser.keepsAlive && nothingFollows && this.#requestEnded && this.#unsent === 0 && this.#keepMs > 0
    this.#events = null
    this.#parser = null
    if (!mayStay || this.socket.destroyed) this.socket.destroy()
    else {
      this.socket.resume()
      this.#pool.release(this, this.#keepMs)
    }
  }

  #fail(error: Error): void {
    const events = this.#events
    this.destroy()
    events?.onError(error)
  }

  #onClosed(): void {
    this.#pool.forget(this)
    const events = this.#events
    if (events === null) return
    if (this.#error === null) {
      events.onReadBegin()
      const isComplete = this.#parser?.finish() ?? false
      events.onReadEnd()
      if (isComplete) {
        this.destroy()
        return
      }
    }
    this.#fail(this.#error ?? Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }))
  }
}

function uncork(socket: Socket): void {
  socket.uncork()
}

/** Of the engine's `Keep-Alive: timeout=5`, less a second for the way: after that the connection is not used again. */
function keepAliveHintMs(headers: readonly string[]): number {
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).length !== 10 || (headers[index] as string).toLowerCase() !== 'keep-alive') continue
    const seconds = /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(headers[index + 1] as string)?.[1]
    return seconds === undefined ? Number.POSITIVE_INFINITY : (Number(seconds) - 1) * 1000
  }
  return Number.POSITIVE_INFINITY
}
