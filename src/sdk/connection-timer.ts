// Listens to undici's diagnostics channels (those of Node's own fetch, and of the undici package) and tells each exchange of ours what
// happens on its connection. Requests are told apart by the asynchronous context they are made in, so concurrency does not mix them.
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { now } from './anchored-clock.ts'
import { guarded, isDisabled, noteFailure } from './guard.ts'
import { catchNextSocket, type SocketTimes, setSocketTimes, socketTimes } from './socket-times.ts'

/** Told by the connection timer, in this order; stamps are monotonic milliseconds. Redirects and retries begin again with `dispatched`. */
export interface TransportObserver {
  /** `x-request-id` of the exchange: other requests that are made on the way to it (a token, say) do not carry it. */
  readonly requestId: string
  /** undici has the request. */
  dispatched(atMs: number): void
  /** The connection it goes out on. */
  connected(connection: Connection): void
  /** The last byte of the request was given to the kernel. */
  sent(atMs: number): void
  headers(atMs: number, response: ResponseHead): void
  /** Body bytes as they were on the wire, only where `seesBytes`. */
  received(atMs: number, bytes: Uint8Array): void
  completed(atMs: number): void
  failed(atMs: number, error: unknown): void
}

export interface Connection {
  /** From when on this exchange could send on it. */
  usableMs: number
  reused: boolean
  /** Absent where the connection is older than the SDK. */
  times?: SocketTimes
}

export interface ResponseHead {
  status: number
  header(name: string): string | undefined
  /** This undici tells of every piece of the body. */
  seesBytes: boolean
}

interface UndiciRequest {
  constructor: unknown
  headers: unknown
}

const exchangeContext = new AsyncLocalStorage<TransportObserver>()
const observers = new WeakMap<object, TransportObserver>()
const dispatchedAt = new WeakMap<object, number>()
const socketOf = new WeakMap<object, { times: SocketTimes; socket: object }>()
let listening = false

/** Runs `send`; the requests that undici makes in it and that carry the observer's id are the observer's, the newest one counts. */
export function observeTransport<T>(observer: TransportObserver, send: () => T): T {
  listen()
  return exchangeContext.run(observer, send)
}

/** Subscribes once; later calls do nothing. */
export function listen(): void {
  if (listening) return
  listening = true
  const on = <M>(channel: string, hook: (message: M) => void): void => {
    // Written out: this runs for every piece of every body.
    subscribe(channel, (message) => {
      if (isDisabled()) return
      try {
        hook(message as M)
      } catch (error) {
        noteFailure(channel, error)
      }
    })
  }
  on<{ request: UndiciRequest }>('undici:request:create', ({ request }) => {
    const observer = exchangeContext.getStore()
    if (observer === undefined || !carries(request.headers, observer.requestId)) return
    const atMs = now()
    observers.set(request, observer)
    dispatchedAt.set(request, atMs)
    observer.dispatched(atMs)
  })
  on('undici:client:beforeConnect', () => catchNextSocket())
  on<{ socket: object }>('undici:client:connected', ({ socket }) => {
    const atMs = now()
    const known = socketTimes(socket)
    if (known !== undefined) known.connectedMs = atMs
    else setSocketTimes(socket, { startMs: atMs, connectedMs: atMs, exchanges: 0 })
  })
  on<{ request: UndiciRequest; socket: object }>('undici:client:sendHeaders', ({ request, socket }) => onSend(request, socket))
  on<{ request: UndiciRequest }>('undici:request:bodySent', ({ request }) => onSent(request))
  on<{ request: UndiciRequest; response: { statusCode: number; headers: unknown } }>('undici:request:headers', ({ request, response }) => {
    const observer = observers.get(request)
    // 1xx answers come before the real one.
    if (observer === undefined || response.statusCode < 200) return
    observer.headers(now(), {
      status: response.statusCode,
      header: (name) => headerOf(response.headers, name),
      seesBytes: publishesBody(request),
    })
  })
  on<{ request: UndiciRequest; chunk: Uint8Array }>('undici:request:bodyChunkReceived', ({ request, chunk }) => {
    observers.get(request)?.received(now(), chunk)
  })
  on<{ request: UndiciRequest }>('undici:request:trailers', ({ request }) => {
    const atMs = release(request)
    observers.get(request)?.completed(atMs)
  })
  on<{ request: UndiciRequest; error: unknown }>('undici:request:error', ({ request, error }) => {
    const atMs = release(request)
    observers.get(request)?.failed(atMs, error)
  })
}

function onSend(request: UndiciRequest, socket: object): void {
  const atMs = now()
  const known = socketTimes(socket)
  const observer = observers.get(request)
  if (known !== undefined) socketOf.set(request, { times: known, socket })
  const first = known !== undefined && known.exchanges === 0
  if (known !== undefined) known.exchanges++
  if (observer === undefined) return
  const dispatchedMs = dispatchedAt.get(request) ?? atMs
  if (known === undefined) observer.connected({ usableMs: dispatchedMs, reused: true })
  else if (first) observer.connected({ usableMs: known.connectedMs ?? atMs, reused: false, times: known })
  // On a busy connection the exchange waited until the one before it was over.
  else observer.connected({ usableMs: known.releasedMs ?? dispatchedMs, reused: true, times: known })
}

function onSent(request: UndiciRequest): void {
  const observer = observers.get(request)
  if (observer === undefined) return
  observer.sent(now())
  const socket = socketOf.get(request)?.socket as import('node:net').Socket | undefined
  // What the kernel did not take yet is sent when the socket has drained.
  if (socket?.writableNeedDrain === true) socket.once('drain', () => guarded('drain', undefined, () => observer.sent(now())))
}

function release(request: UndiciRequest): number {
  const atMs = now()
  const entry = socketOf.get(request)
  if (entry !== undefined) entry.times.releasedMs = atMs
  return atMs
}

/** Request headers: a list of names and values, or (undici 5) one text. */
function carries(headers: unknown, value: string): boolean {
  return (Array.isArray(headers) || typeof headers === 'string') && headers.includes(value)
}

/** undici's raw headers: name, value, name, value as buffers or strings, or (HTTP/2) an object. */
function headerOf(headers: unknown, name: string): string | undefined {
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (String(headers[index]).toLowerCase() === name) return String(headers[index + 1])
    }
    return undefined
  }
  const value = (headers as Record<string, unknown> | null)?.[name]
  return value === undefined ? undefined : String(value)
}

const bodyPublishers = new WeakMap<object, boolean>()

/** Whether this build of undici publishes body chunks: Node 24's does, Node 22's does not. Nothing but its code tells. */
function publishesBody(request: UndiciRequest): boolean {
  const type = request.constructor as { prototype: Record<string, unknown> }
  const known = bodyPublishers.get(type)
  if (known !== undefined) return known
  const { onData, onResponseData } = type.prototype
  const hook = typeof onResponseData === 'function' ? onResponseData : onData
  const publishes = typeof hook === 'function' && Function.prototype.toString.call(hook).includes('bodyChunkReceived')
  bodyPublishers.set(type, publishes)
  return publishes
}
