// What notifications arrive at in tests: an HTTP server that keeps every body, and the few verbs of SMTP that Alertmanager speaks.
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'

export interface Received {
  path: string
  body: string
  atMs: number
}

export interface Sink extends AsyncDisposable {
  url: string
  received: Received[]
  /** Resolves with the first body that fits, rejects when none came in time. */
  wait(fits: (received: Received) => boolean, timeoutMs: number): Promise<Received>
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export async function startSink(status = 200): Promise<Sink> {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const server = createServer(async (request, response) => {
    received.push({ path: request.url ?? '', body: await readBody(request), atMs: performance.now() })
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"success"}')
    for (const look of waiting) look()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    wait: (fits, timeoutMs) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = received.find(fits)
          if (found === undefined) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(found)
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(
            new Error(`nothing fitting arrived in ${timeoutMs} ms; got ${received.length}: ${received.map(({ path }) => path).join(' ')}`),
          )
        }, timeoutMs)
        waiting.add(look)
        look()
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Keeps each message as it was sent, headers first. */
export async function startMailSink(): Promise<{ address: string; messages: string[] } & AsyncDisposable> {
  const messages: string[] = []
  const server = createSocketServer((socket) => {
    let buffer = ''
    let isData = false
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    socket.write('220 sink\r\n')
    socket.on('data', (text) => {
      buffer += text
      for (;;) {
        const end = buffer.indexOf(isData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const line = buffer.slice(0, end)
        buffer = buffer.slice(end + (isData ? 5 : 2))
        if (isData) messages.push(line)
        socket.write(isData ? '250 kept\r\n' : reply(line))
        isData = !isData && /^DATA/i.test(line)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function reply(line: string): string {
  if (/^DATA/i.test(line)) return '354 go on\r\n'
  return /^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n'
}
