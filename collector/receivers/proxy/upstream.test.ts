import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Peer, startEngine } from './test-peers.ts'
import { createUpstream, type Upstream } from './upstream.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const part of open.splice(0)) await part.close()
})

async function setUp(answer: string | ((socket: Socket) => void), idleMs = 1_000): Promise<{ engine: Peer; upstream: Upstream }> {
  const engine = await startEngine((socket) => (typeof answer === 'string' ? socket.write(answer) : answer(socket)))
  const upstream = createUpstream({ protocol: 'http:', hostname: '127.0.0.1', port: engine.port }, idleMs)
  open.push(upstream, engine)
  return { engine, upstream }
}

interface Outcome {
  reused: boolean | null
  status: number | null
  error: string | null
}

function ask(upstream: Upstream): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Outcome = { reused: null, status: null, error: null }
    const request = upstream.request(
      { method: 'GET', path: '/', headers: ['Host', 'a'], chunked: false },
      {
        onConnected: (reused) => {
          outcome.reused = reused
        },
        onSent: () => {},
        onDrain: () => {},
        onReadBegin: () => {},
        onInformation: () => {},
        onHead: (head) => {
          outcome.status = head.status
        },
        onBody: () => {},
        onEnd: () => {},
        // The connection is free again behind this.
        onReadEnd: () => setImmediate(() => resolve(outcome)),
        onError: (error) => resolve({ ...outcome, error: (error as NodeJS.ErrnoException).code ?? error.name }),
      },
    )
    request.end([])
  })
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('a connection is used again, and closed by us once it is idle for too long', async () => {
  const { engine, upstream } = await setUp(OK, 100)
  expect(await ask(upstream)).toEqual({ reused: false, status: 200, error: null })
  expect(await ask(upstream)).toEqual({ reused: true, status: 200, error: null })
  expect(upstream.idleCount).toBe(1)
  expect(engine.sockets.size).toBe(1)
  await expect.poll(() => engine.sockets.size).toBe(0)
  expect(upstream.idleCount).toBe(0)
  expect(await ask(upstream)).toEqual({ reused: false, status: 200, error: null })
})

test.each([
  ['closes after it', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
  ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['sends more than the response', `${OK}more`],
  ['keeps connections for less than the way takes', 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'],
])('a connection is not used again where the engine %s', async (_name, answer) => {
  const { upstream } = await setUp(answer)
  expect(await ask(upstream)).toMatchObject({ status: 200 })
  expect(upstream.idleCount).toBe(0)
  expect(await ask(upstream)).toMatchObject({ reused: false, status: 200 })
})

test('an idle connection that the engine closes, or speaks on, is given up', async () => {
  const { engine, upstream } = await setUp(OK)
  await ask(upstream)
  for (const socket of engine.sockets) socket.end()
  await expect.poll(() => upstream.idleCount).toBe(0)
  await ask(upstream)
  for (const socket of engine.sockets) socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n')
  await expect.poll(() => upstream.idleCount).toBe(0)
  expect(await ask(upstream)).toEqual({ reused: false, status: 200, error: null })
})

test('nobody there, no answer, rubbish: an error each, once', async () => {
  const nobody = createUpstream({ protocol: 'http:', hostname: '127.0.0.1', port: 1 }, 1_000)
  open.push(nobody)
  expect((await ask(nobody)).error).toBe('ECONNREFUSED')
  const silent = await setUp((socket) => socket.end())
  expect((await ask(silent.upstream)).error).toBe('ECONNRESET')
  const rubbish = await setUp('rubbish\r\n\r\n')
  expect((await ask(rubbish.upstream)).error).toBe('MalformedResponse')
})

test('connections stay open while their requests wait, whatever the idle time is', async () => {
  let held: Socket | undefined
  const { engine, upstream } = await setUp((socket) => {
    held = socket
  }, 20)
  const answer = ask(upstream)
  await expect.poll(() => held !== undefined).toBe(true)
  await new Promise((resolve) => connect(engine.port, '127.0.0.1', () => setTimeout(resolve, 100)))
  held?.write(OK)
  expect(await answer).toMatchObject({ status: 200, error: null })
})
