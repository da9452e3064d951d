// For tests: a real HTTP or HTTPS server on loopback that answers as a test says, and remembers the heads of what it was asked.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

export interface LlmServer {
  url: string
  port: number
  seen: { headers: IncomingHttpHeaders; rawHeaders: string[]; body: string; socket: Socket }[]
  close(): Promise<void>
}

export type Answer = (response: ServerResponse, call: number, request: IncomingMessage) => void | Promise<void>

export async function startLlmServer(answer: Answer, tls?: { key: string; cert: string }, host = '127.0.0.1'): Promise<LlmServer> {
  const seen: LlmServer['seen'] = []
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { headers, rawHeaders, socket } = request
      seen.push({ headers, rawHeaders, body: Buffer.concat(parts).toString(), socket })
      void answer(response, seen.length, request)
    })
  }
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host}:${port}/v1`,
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function chunk(delta: object, more: object = {}, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }]
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'tiny-1', choices, ...more })}\n\n`
}

export const DONE = 'data: [DONE]\n\n'

export const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 3,
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 1 },
}

/** A role-only chunk, three tokens, a finish, usage and the end mark. */
export function answerEvents(words: readonly string[] = ['one', ' two', ' three']): string[] {
  return [
    chunk({ role: 'assistant', content: '' }),
    ...words.map((content) => chunk({ content })),
    chunk({}, {}, 'stop'),
    chunk({}, { choices: [], usage: USAGE }),
    DONE,
  ]
}

export function startEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
}

export function sendEvents(response: ServerResponse, events: readonly string[]): void {
  startEvents(response)
  for (const event of events) response.write(event)
  response.end()
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Lets everything that is ready run, several times: bytes cross loopback meanwhile. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}
