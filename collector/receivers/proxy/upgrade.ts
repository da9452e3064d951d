// WebSocket upgrades (realtime APIs): relayed as raw bytes once the engine has agreed. They count as open and are not traced.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { http, https } from '../../../src/wire/http/node-http.ts'
import type { UpstreamTarget } from './upstream.ts'

/** Relays an upgrade; `onClosed` is called once, when both sides are done. */
export function relayUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, upstream: UpstreamTarget, onClosed: () => void): void {
  const { request: send } = upstream.protocol === 'https:' ? https : http
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    socket.destroy()
    outgoing.destroy()
    onClosed()
  }
  const outgoing = send({
    ...upstream,
    agent: false,
    method: request.method,
    path: request.url,
    headers: request.rawHeaders,
    setHost: false,
  })
  socket.on('error', close)
  socket.on('close', close)
  outgoing.on('error', () => {
    if (!closed) socket.write('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    close()
  })
  outgoing.on('upgrade', (response, upstreamSocket, upstreamHead) => {
    socket.write(statusAndHeaders(response))
    if (upstreamHead.length > 0) socket.write(upstreamHead)
    if (head.length > 0) upstreamSocket.write(head)
    upstreamSocket.on('error', close)
    upstreamSocket.on('close', close)
    socket.pipe(upstreamSocket)
    upstreamSocket.pipe(socket)
  })
  outgoing.on('response', (response) => {
    socket.write(statusAndHeaders(response))
    response.pipe(socket)
  })
  outgoing.end()
}

function statusAndHeaders(response: IncomingMessage): string {
  let text = `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n`
  for (let index = 0; index < response.rawHeaders.length; index += 2) {
    const name = response.rawHeaders[index] as string
    // A refusal is relayed until its end, which is the end of the connection.
    if (response.statusCode !== 101 && /^(?:transfer-encoding|connection)$/i.test(name)) continue
    text += `${name}: ${response.rawHeaders[index + 1]}\r\n`
  }
  return `${text}${response.statusCode === 101 ? '' : 'Connection: close\r\n'}\r\n`
}
