// When each connection of this process was looked up, connected and secured, and when it was last released. undici tells of a socket
// only once it is connected, so the socket is caught where it starts to connect, between two lines of undici's connector.
import net from 'node:net'
import { now } from './anchored-clock.ts'

/** Monotonic milliseconds; absent means the step did not happen (an IP address has no lookup, plain HTTP no TLS). */
export interface SocketTimes {
  startMs: number
  lookupMs?: number
  tcpMs?: number
  tlsMs?: number
  /** The HTTP client has it and may send. */
  connectedMs?: number
  /** The last exchange on it was over. */
  releasedMs?: number
  /** Exchanges sent on it. */
  exchanges: number
}

const times = new WeakMap<object, SocketTimes>()

export function socketTimes(socket: object): SocketTimes | undefined {
  return times.get(socket)
}

/** For connections that were not caught: a custom connector, or one older than the SDK. */
export function setSocketTimes(socket: object, known: SocketTimes): void {
  times.set(socket, known)
}

/**
 * Catches the next socket that begins to connect in this very turn. `net.Socket.prototype.connect` is replaced for the length of one
 * synchronous call of undici's connector and put back by it (or, where a custom connector does not connect at once, before the next
 * microtask): the `net.client.socket` channel would do, but is silent for TLS.
 */
export function catchNextSocket(): void {
  const prototype = net.Socket.prototype
  const original = prototype.connect
  const restore = (): void => {
    if (prototype.connect === catching) prototype.connect = original
  }
  const catching = function (this: net.Socket, ...args: unknown[]): net.Socket {
    restore()
    try {
      watch(this)
    } catch {
      // Without the parts; the connection itself is not touched.
    }
    return Reflect.apply(original, this, args) as net.Socket
  } as typeof prototype.connect
  prototype.connect = catching
  queueMicrotask(restore)
}

function watch(socket: net.Socket): void {
  const known: SocketTimes = { startMs: now(), exchanges: 0 }
  times.set(socket, known)
  socket.once('lookup', () => {
    known.lookupMs = now()
  })
  socket.once('connect', () => {
    known.tcpMs = now()
  })
  socket.once('secureConnect', () => {
    known.tlsMs = now()
  })
}

/** The parts of connecting, in seconds, as far as they lie after `fromMs`: an exchange may take over a connection begun for another. */
export function connectParts(known: SocketTimes, fromMs: number): { dns?: number; tcp?: number; tls?: number } {
  const parts: { dns?: number; tcp?: number; tls?: number } = {}
  const after = (beginMs: number, endMs: number): number => Math.max(0, endMs - Math.max(beginMs, fromMs)) / 1000
  if (known.lookupMs !== undefined) parts.dns = after(known.startMs, known.lookupMs)
  if (known.tcpMs !== undefined) parts.tcp = after(known.lookupMs ?? known.startMs, known.tcpMs)
  if (known.tlsMs !== undefined) parts.tls = after(known.tcpMs ?? known.startMs, known.tlsMs)
  return parts
}
