// One proxied request: bytes to the engine, bytes back, each forwarded before it is looked at. Trouble on one side is passed on as
// the same trouble on the other.
import type { ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@longpole/model/clock'
import { http, https } from '../../../src/wire/http/node-http.ts'
import { requestHeaders, responseHeaders } from './headers.ts'
import type { Ending, FinishedRequest } from './observation.ts'
import { replyError } from './reply.ts'
import type { RequestObserver } from './request-observer.ts'

export interface ExchangeContext {
  clock: Clock
  /** Where the engine is: protocol, host, port and agent. */
  upstream: RequestOptions
  /** The listener is closing: the client is told to go elsewhere for its next request. */
  isDraining(): boolean
  /** The request has ended; its last bytes may still be on their way to the client. */
  finished(record: FinishedRequest): void
  /** Nothing of it is left. */
  closed(exchange: Exchange): void
}

export interface Forwarded {
  traceparent: string
  /** Null where the caller's own is kept. */
  requestId: string | null
}

export class Exchange {
  readonly observer: RequestObserver
  readonly #context: ExchangeContext
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #socket: Socket
  #upstream: ClientRequest | null = null
  #upstreamResponse: IncomingMessage | null = null
  #ended = false

  get ended(): boolean {
    return this.#ended
  }

  constructor(request: IncomingMessage, response: ServerResponse, observer: RequestObserver, context: ExchangeContext) {
    this.#request = request
    this.#response = response
    this.#socket = request.socket
    this.observer = observer
    this.#context = context
    // Node would add a Date of its own.
    response.sendDate = false
    request.socket.on('close', this.#onClientGone)
    response.on('error', this.#onClientGone)
    response.on('close', () => {
      this.#onClientGone()
      context.closed(this)
    })
    request.on('error', this.#onClientGone)
  }

  /** Sends the request on. `expectsContinue`: the client waits for a 100 before its body. */
  start(forwarded: Forwarded, expectsContinue: boolean): void {
    const { method = 'GET', url = '/', rawHeaders } = this.#request
    const { upstream } = this.#context
    const { request: send } = upstream.protocol === 'https:' ? https : http
    const headers = requestHeaders(rawHeaders, { ...forwarded, method })
    const outgoing = send({ ...upstream, method, path: url, headers, setHost: false })
    this.#upstream = outgoing
    outgoing.on('socket', this.#onUpstreamSocket)
    outgoing.on('finish', () => this.observer.requestSent())
    outgoing.on('response', this.#onResponse)
    outgoing.on('error', this.#onUpstreamError)
    outgoing.on('information', this.#onInformation)
    if (expectsContinue) outgoing.flushHeaders()
    this.#pipeRequest(outgoing)
  }

  /** Answers without asking the engine. */
  refuse(status: number, type: string, message: string): void {
    this.observer.status = status
    // What follows on a connection with doubtful framing cannot be trusted.
    this.#response.shouldKeepAlive = false
    replyError(this.#response, status, type, message)
    this.#end('refused')
  }

  #pipeRequest(outgoing: ClientRequest): void {
    const request = this.#request
    request.on('data', (chunk: Buffer) => {
      // Answered before the upload was complete: the rest is read and thrown away, so that the client gets to read the answer.
      if (this.#ended) return
      if (!outgoing.write(chunk)) request.pause()
      this.observer.requestChunk(chunk)
    })
    outgoing.on('drain', () => request.resume())
    request.on('end', () => {
      if (this.#ended) return
      const { rawTrailers } = request
      if (rawTrailers.length > 0) outgoing.addTrailers(pairs(rawTrailers))
      outgoing.end()
      this.observer.requestComplete()
    })
  }

  readonly #onUpstreamSocket = (socket: Socket): void => {
    const reused = this.#upstream?.reusedSocket === true
    if (reused || !socket.connecting) this.observer.connected(reused)
    else socket.once('connect', () => this.observer.connected(false))
  }

  /** 100 asks for the body; other 1xx responses go by as they came. */
  readonly #onInformation = (info: { statusCode: number; statusMessage: string; rawHeaders: string[] }): void => {
    if (this.#response.headersSent || this.#request.httpVersion === '1.0' || this.#response.socket === null) return
    if (info.statusCode === 100) this.#response.writeContinue()
    else {
      const lines = pairs(info.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
      this.#socket.write(`HTTP/1.1 ${info.statusCode} ${info.statusMessage}\r\n${lines.join('')}\r\n`, 'latin1')
    }
  }

  readonly #onResponse = (incoming: IncomingMessage): void => {
    this.#upstreamResponse = incoming
    const response = this.#response
    incoming.on('error', this.#onUpstreamError)
    incoming.on('aborted', this.#onTruncated)
    if (this.#ended) return
    if (this.#context.isDraining()) response.shouldKeepAlive = false
    // Persistence is HTTP/1.1's default: saying so would add a field that the engine did not send.
    if (response.shouldKeepAlive && this.#request.httpVersion !== '1.0') response.removeHeader('connection')
    try {
      const status = incoming.statusCode ?? 502
      response.writeHead(status, incoming.statusMessage, responseHeaders(incoming.rawHeaders, this.#request.httpVersion !== '1.0'))
    } catch (error) {
      this.#onUpstreamError(error as Error)
      return
    }
    this.observer.responseHeaders(incoming.statusCode ?? 0, incoming.headers['content-type'], incoming.headers['content-encoding'])
    this.#pipeResponse(incoming)
    // Body bytes that came with the headers go out with them; headers that came alone must not wait.
    process.nextTick(() => {
      if (!this.#ended && this.observer.at.firstByte === null) response.flushHeaders()
    })
  }

  #pipeResponse(incoming: IncomingMessage): void {
    const response = this.#response
    const { clock } = this.#context
    const socket = this.#socket
    incoming.on('data', (chunk: Buffer) => {
      const arrivedMs = clock.monotonicMs()
      // Without this node:http gives the bytes to the kernel only after this function, so after they were looked at.
      socket.cork()
      const goesOn = response.write(chunk)
      socket.uncork()
      if (!goesOn) incoming.pause()
      this.observer.responseChunk(chunk, arrivedMs)
    })
    response.on('drain', () => incoming.resume())
    incoming.on('end', () => {
      if (!incoming.complete) {
        this.#onTruncated()
        return
      }
      if (incoming.rawTrailers.length > 0) response.addTrailers(pairs(incoming.rawTrailers))
      response.end()
      this.#end('complete')
    })
  }

  readonly #onClientGone = (): void => {
    if (this.#ended) return
    this.#upstream?.destroy()
    this.#response.destroy()
    this.#end('client_aborted')
  }

  readonly #onUpstreamError = (error: Error): void => {
    if (this.#ended) return
    if (this.#response.headersSent) {
      this.#onTruncated()
      return
    }
    this.#upstream?.destroy()
    const ending = this.observer.at.sent === null && isUnreachable(error) ? 'upstream_unreachable' : 'upstream_reset'
    this.observer.status = 502
    const what = ending === 'upstream_unreachable' ? 'cannot be reached' : 'closed the connection without a response'
    replyError(this.#response, 502, ending, `the inference server ${what} (${(error as NodeJS.ErrnoException).code ?? 'invalid response'})`)
    this.#end(ending)
  }

  /** The engine broke off: the client gets what came, then a broken end, never a clean one. */
  readonly #onTruncated = (): void => {
    if (this.#ended) return
    // What came in the same read as the break is still in the stream's buffer.
    this.#upstreamResponse?.read()
    if (this.observer.at.firstByte === null) this.#response.flushHeaders()
    this.#upstream?.destroy()
    const socket = this.#socket
    const framed = this.#request.httpVersion !== '1.0' || this.#upstreamResponse?.headers['content-length'] !== undefined
    // Without framing only a reset tells the client that something is missing.
    if (framed) socket.destroySoon()
    else socket.write('', () => socket.resetAndDestroy())
    this.#end('upstream_truncated')
  }

  #end(ending: Ending): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket.off('close', this.#onClientGone)
    this.#context.finished(this.observer.finish(ending))
    if (this.#request.complete) {
      if (this.#context.isDraining()) this.#response.once('finish', () => this.#socket.destroySoon())
    } else {
      this.#upstream?.destroy()
      this.#request.resume()
    }
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = []
  for (let index = 0; index + 1 < raw.length; index += 2) result.push([raw[index] as string, raw[index + 1] as string])
  return result
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT', 'EACCES'])

function isUnreachable(error: Error): boolean {
  const { code, errors } = error as NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }
  return UNREACHABLE.has(code ?? '') || (errors?.some((inner) => UNREACHABLE.has(inner.code ?? '')) ?? false)
}
