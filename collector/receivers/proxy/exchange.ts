// One proxied request: bytes to the engine, bytes back, each forwarded before it is looked at. Trouble on one side is passed on as
// the same trouble on the other.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@longpole/model/clock'
import { requestHeaders, responseHeaders } from './headers.ts'
import type { Ending, FinishedRequest } from './observation.ts'
import { replyError } from './reply.ts'
import type { RequestObserver } from './request-observer.ts'
import type { ResponseHead } from './response-parser.ts'
import type { Upstream, UpstreamEvents, UpstreamRequest } from './upstream.ts'

const NO_BYTES = Buffer.alloc(0)

export interface ExchangeContext {
  clock: Clock
  upstream: Upstream
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

export class Exchange implements UpstreamEvents {
  readonly observer: RequestObserver
  readonly #context: ExchangeContext
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #socket: Socket
  readonly #isHttp10: boolean
  #upstream: UpstreamRequest | null = null
  #ended = false
  /** Body chunks of the read in work, to be looked at once they are on their way. */
  #arrived: Buffer[] = []
  #arrivedMs = 0
  #isFramed = true
  #isComplete = false
  #headWaits = false

  constructor(request: IncomingMessage, response: ServerResponse, observer: RequestObserver, context: ExchangeContext) {
    this.#request = request
    this.#response = response
    this.#socket = request.socket
    this.#isHttp10 = request.httpVersion === '1.0'
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

  get ended(): boolean {
    return this.#ended
  }

  /** Sends the request on. */
  start(forwarded: Forwarded): void {
    const request = this.#request
    const { method = 'GET', url = '/', rawHeaders } = request
    const headers = requestHeaders(rawHeaders, { ...forwarded, method })
    const chunked = request.headers['transfer-encoding'] !== undefined
    const outgoing = this.#context.upstream.request({ method, path: url, headers, chunked }, this)
    this.#upstream = outgoing
    request.on('data', (chunk: Buffer) => {
      // Answered before the upload was complete: the rest is read and thrown away, so that the client gets to read the answer.
      if (this.#ended) return
      if (!outgoing.write(chunk)) request.pause()
      this.observer.requestChunk(chunk)
    })
    request.on('end', () => {
      if (this.#ended) return
      this.observer.requestComplete()
      outgoing.end(request.rawTrailers)
    })
    this.#response.on('drain', () => this.#upstream?.resume())
  }

  /** Answers without asking the engine. */
  refuse(status: number, type: string, message: string): void {
    this.observer.status = status
    // What follows on a connection with doubtful framing cannot be trusted.
    this.#response.shouldKeepAlive = false
    replyError(this.#response, status, type, message)
    this.#end('refused')
  }

  onConnected(reused: boolean): void {
    this.observer.connected(reused)
  }

  onSent(): void {
    this.observer.requestSent()
  }

  onDrain(): void {
    this.#request.resume()
  }

  /** 100 asks for the body; other 1xx responses go by as they came. */
  onInformation({ status, reason, headers }: ResponseHead): void {
    if (this.#ended || this.#isHttp10 || this.#response.headersSent || this.#response.socket === null) return
    if (status === 100) {
      this.#response.writeContinue()
      return
    }
    let text = `HTTP/1.1 ${status} ${reason}\r\n`
    for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`
    this.#socket.write(`${text}\r\n`, 'latin1')
  }

  onReadBegin(): void {
    this.#arrivedMs = this.#context.clock.monotonicMs()
    // All that one read brings leaves in one write, and before it is looked at.
    this.#socket.cork()
  }

  onHead({ status, reason, headers }: ResponseHead): void {
    if (this.#ended) return
    const response = this.#response
    if (this.#context.isDraining()) response.shouldKeepAlive = false
    // Persistence is HTTP/1.1's default: saying so would add a field that the engine did not send.
    if (response.shouldKeepAlive && !this.#isHttp10) response.removeHeader('connection')
    response.writeHead(status, reason, responseHeaders(headers, !this.#isHttp10))
    this.#headWaits = true
    this.#isFramed = !this.#isHttp10 || fieldOf(headers, 'content-length') !== undefined
    this.observer.responseHeaders(status, fieldOf(headers, 'content-type'), fieldOf(headers, 'content-encoding'), this.#arrivedMs)
  }

  onBody(chunk: Buffer): void {
    if (this.#ended) return
    this.#headWaits = false
    if (!this.#response.write(chunk)) this.#upstream?.pause()
    this.#arrived.push(chunk)
  }

  onEnd(trailers: string[]): void {
    if (this.#ended) return
    if (trailers.length > 0) this.#response.addTrailers(pairs(trailers))
    this.#headWaits = false
    this.#response.end()
    this.#isComplete = true
  }

  onReadEnd(): void {
    // A header section that came alone does not wait for its body. (flushHeaders would write it as UTF-8; fields are bytes.)
    if (this.#headWaits && !this.#ended) this.#response.write(NO_BYTES)
    this.#headWaits = false
    this.#socket.uncork()
    if (this.#arrived.length > 0) {
      for (const chunk of this.#arrived) this.observer.responseChunk(chunk, this.#arrivedMs)
      this.#arrived = []
    }
    if (this.#isComplete) this.#end('complete')
  }

  onError(error: Error): void {
    if (this.#ended) return
    if (this.#response.headersSent) {
      this.#truncate()
      return
    }
    const ending = this.observer.at.sent === null && isUnreachable(error) ? 'upstream_unreachable' : 'upstream_reset'
    this.observer.status = 502
    const what = ending === 'upstream_unreachable' ? 'cannot be reached' : 'closed the connection or answered rubbish'
    replyError(this.#response, 502, ending, `the inference server ${what} (${(error as NodeJS.ErrnoException).code ?? error.message})`)
    this.#end(ending)
  }

  readonly #onClientGone = (): void => {
    if (this.#ended) return
    this.#upstream?.destroy()
    this.#response.destroy()
    this.#end('client_aborted')
  }

  /** The engine broke off: the client gets what came, then a broken end, never a clean one. */
  #truncate(): void {
    const socket = this.#socket
    // Without framing only a reset tells the client that something is missing.
    if (this.#isFramed) socket.destroySoon()
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
    // The connection may already carry somebody else's request.
    this.#upstream = null
  }
}

function fieldOf(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).length === name.length && (headers[index] as string).toLowerCase() === name) return headers[index + 1]
  }
  return undefined
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
