import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createUpstreamAgent } from './upstream-agent.ts'

const server = createServer((_request, response) => response.end('ok'))
const connections: Socket[] = []
server.on('connection', (socket) => connections.push(socket))
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => server.close())

function ask(agent: ReturnType<typeof createUpstreamAgent>): Promise<{ reused: boolean; inUse: number }> {
  return new Promise((resolve, reject) => {
    const request = get({ agent, host: '127.0.0.1', port: (server.address() as AddressInfo).port }, (response: IncomingMessage) => {
      const inUse = request.socket?.timeout ?? 0
      response.resume()
      response.on('end', () => setImmediate(() => resolve({ reused: request.reusedSocket, inUse })))
    })
    request.on('error', reject)
  })
}

test('a connection is used again, has no time limit while in use, and is closed once idle for too long', async () => {
  const agent = createUpstreamAgent('http:', 100)
  expect(await ask(agent)).toEqual({ reused: false, inUse: 0 })
  expect(await ask(agent)).toEqual({ reused: true, inUse: 0 })
  expect(connections).toHaveLength(1)
  await new Promise((resolve) => connections[0]?.once('close', resolve))
  expect(await ask(agent)).toEqual({ reused: false, inUse: 0 })
  agent.destroy()
})
