import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createManualClock } from '@longpole/model/clock'
import { afterEach, describe, expect, test } from 'vitest'
import { headerOf, type Peer, type RawMessage, type RunningProxy, startClient, startEngine, startProxy } from './test-peers.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const peer of open.splice(0)) await peer.close()
})

async function setUp(serve: (socket: Socket, request: RawMessage) => void, early = false): Promise<RunningProxy & { engine: Peer }> {
  const engine = await startEngine(serve, early)
  const running = await startProxy(engine.port)
  open.push(running.proxy, engine)
  return { ...running, engine }
}

const BODY = '{"model":"m","stream":true,"max_tokens":5,"messages":[{"role":"user","content":"planted prompt"}]}'
function post(body = BODY, extra: string[] = [], path = '/v1/chat/completions'): string {
  const headers = ['Host: engine.test', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...extra]
  return `POST ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`
}
const chunk = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(`${text.length.toString(16)}\r\n`), Buffer.from(text), Buffer.from('\r\n')])
const SSE_HEAD =
  'HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n'
const recorded = readFileSync(new URL('../../../src/wire/sse/fixtures/vllm-0.32.0-chat.sse', import.meta.url))

/** Fields that may differ between the direct and the proxied response: README, "What changes on the way". */
const MAY_DIFFER = new Set(['connection', 'keep-alive', 'transfer-encoding'])
const comparable = (message: RawMessage) => ({
  startLine: message.startLine,
  headers: message.headers.filter(([name]) => !MAY_DIFFER.has(name.toLowerCase())),
  body: message.body.toString('latin1'),
  trailers: message.trailers,
  complete: message.complete,
})

describe('bytes and fields are those of the engine', () => {
  const json = '{"id":"x","object":"chat.completion","usage":{"prompt_tokens":3}}'
  test.each<[string, Buffer | string, string]>([
    ['a stream in one write', Buffer.concat([Buffer.from(SSE_HEAD), chunk(recorded), Buffer.from('0\r\n\r\n')]), post()],
    [
      'JSON with a length',
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
      post(),
    ],
    ['an error of the engine', 'HTTP/1.1 400 Bad Request\r\nserver: uvicorn\r\ncontent-length: 2\r\n\r\n{}', post()],
    ['a reason phrase of its own', 'HTTP/1.1 429 Slow Down Please\r\nRetry-After: 3\r\ncontent-length: 0\r\n\r\n', post()],
    ['no content', 'HTTP/1.1 204 No Content\r\nX-Empty:\r\n\r\n', post()],
    [
      'cookies and values beyond ASCII',
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Latin: \xe9\r\nContent-Length: 1\r\n\r\nz',
      post(),
    ],
    ['trailers', 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n', post()],
    [
      'chunk extensions and odd sizes',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n00002\r\nyz\r\n0\r\n\r\n',
      post(),
    ],
    ['a body without length', 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nuntil the end', post()],
    ['an HTTP/1.0 engine', 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end', post()],
    [
      'compressed content',
      Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\xff', 'latin1'),
      post(),
    ],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n', 'HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%s', async (_name, answer, request) => {
    const bytes = typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer
    const { engine, port, nextRecord } = await setUp((socket) => {
      socket.write(bytes)
      if (bytes.includes('HTTP/1.0') || bytes.includes('Connection: close') || request.startsWith('HEAD')) socket.end()
    })
    const direct = await startClient(engine.port, request).response()
    const client = startClient(port, request)
    if (request.startsWith('HEAD')) {
      await expect.poll(() => client.received().includes('\r\n\r\n')).toBe(true)
      expect(client.received().toString()).toContain('Content-Length: 1234')
      expect((await nextRecord()).ending).toBe('complete')
      client.socket.destroy()
      return
    }
    const proxied = await client.response()
    expect(comparable(proxied)).toEqual({ ...comparable(direct), startLine: direct.startLine.replace('HTTP/1.0', 'HTTP/1.1') })
    expect((await nextRecord()).ending).toBe('complete')
    client.socket.destroy()
  })

  test('every split of a stream into two writes gives the same bytes and the same observation', async () => {
    const stream = Buffer.concat([
      Buffer.from(SSE_HEAD),
      ...recorded
        .toString()
        .split(/(?<=\n\n)/)
        .slice(0, 4)
        .map(chunk),
      Buffer.from('0\r\n\r\n'),
    ])
    let cut = 0
    const { port, nextRecord } = await setUp((socket) => {
      socket.setNoDelay(true)
      socket.write(stream.subarray(0, cut))
      setImmediate(() => socket.write(stream.subarray(cut)))
    })
    const expected = stream.subarray(stream.indexOf('\r\n\r\n') + 4)
    for (cut = 1; cut < stream.length; cut += 3) {
      const client = startClient(port, post())
      const response = await client.response()
      client.socket.destroy()
      const record = await nextRecord()
      expect(response.complete).toBe(true)
      expect(response.body.equals(parseChunks(expected))).toBe(true)
      expect(record).toMatchObject({ ending: 'complete', status: 200, chunks: 3, deltas: 2 })
    }
  }, 30_000)
})

function parseChunks(framed: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = framed.indexOf('\r\n', at)
    const size = Number.parseInt(framed.toString('latin1', at, lineEnd), 16)
    if (size === 0) return Buffer.concat(parts)
    parts.push(framed.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
}

describe('what the engine receives', () => {
  async function receivedFor(request: string): Promise<RawMessage> {
    let seen: RawMessage | undefined
    const { port } = await setUp((socket, message) => {
      seen = message
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const client = startClient(port, request)
    await client.response()
    client.socket.destroy()
    return seen as RawMessage
  }

  test('names keep case and order, duplicates stay apart, and only traceparent and x-request-id are added', async () => {
    const fields = ['AUTHORIZATION: Bearer planted-key', 'x-Custom: 1', 'X-custom: 2', 'Cookie: a=b', 'accept: */*']
    const { headers, startLine, body } = await receivedFor(post(BODY, fields))
    expect(startLine).toBe('POST /v1/chat/completions HTTP/1.1')
    expect(body.toString()).toBe(BODY)
    const sent = post(BODY, fields).split('\r\n\r\n')[0]?.split('\r\n').slice(1)
    expect(headers.slice(0, sent?.length).map((field) => field.join(': '))).toEqual(sent)
    expect(headers.slice(sent?.length).map(([name]) => name)).toEqual(['traceparent', 'x-request-id'])
  })

  test('a valid traceparent keeps trace and flags, its parent becomes our span; x-request-id is kept', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const fields = [`TraceParent: 00-${trace}-b7ad6b7169203331-00`, 'tracestate: ot=th:8', 'X-Request-Id: mine']
    let seen: RawMessage | undefined
    const { port, nextRecord } = await setUp((socket, message) => {
      seen = message
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const client = startClient(port, post(BODY, fields))
    await client.response()
    client.socket.destroy()
    const record = await nextRecord()
    expect(record).toMatchObject({
      traceId: trace,
      parentSpanId: 'b7ad6b7169203331',
      traceFlags: 0,
      traceState: 'ot=th:8',
      requestId: 'mine',
    })
    expect((seen as RawMessage).headers).toContainEqual(['TraceParent', `00-${trace}-${record.spanId}-00`])
    expect((seen as RawMessage).headers).toContainEqual(['X-Request-Id', 'mine'])
    expect(headerOf(seen as RawMessage, 'x-request-id')).toHaveLength(1)
  })

  test.each([
    '00-zz',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ])('a malformed traceparent (%s) starts a new trace', async (value) => {
    const { headers } = await receivedFor(post(BODY, [`traceparent: ${value}`]))
    const [field, ...others] = headers.filter(([name]) => name === 'traceparent')
    expect(others).toEqual([])
    expect(field?.[1]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(field?.[1]).not.toBe(value)
  })

  test('hop-by-hop fields stay behind, but Connection cannot take authorization away', async () => {
    const fields = [
      'Connection: close, authorization, x-hop',
      'x-hop: 1',
      'Authorization: Bearer k',
      'Keep-Alive: timeout=9',
      'TE: trailers',
    ]
    const message = await receivedFor(post(BODY, fields))
    expect(headerOf(message, 'authorization')).toEqual(['Bearer k'])
    for (const name of ['x-hop', 'keep-alive', 'te']) expect(headerOf(message, name)).toEqual([])
    expect(headerOf(message, 'connection')).toEqual([])
    expect(headerOf(await receivedFor(post(BODY, ['Connection: keep-alive'])), 'connection')).toEqual(['keep-alive'])
  })

  test('chunked uploads arrive whole, with their trailers', async () => {
    const message = await receivedFor(
      'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n4;e=1\r\ndefg\r\n0\r\nX-T: 1\r\n\r\n',
    )
    expect(message.body.toString()).toBe('abcdefg')
    expect(message.trailers).toEqual([['X-T', '1']])
  })

  test('a POST without framing gets a length of 0, a GET with a body keeps it, a path goes on as it is', async () => {
    expect(headerOf(await receivedFor('POST /x HTTP/1.1\r\nHost: a\r\n\r\n'), 'content-length')).toEqual(['0'])
    expect((await receivedFor('GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc')).body.toString()).toBe('abc')
    expect((await receivedFor('GET /v1/../a%20b?x=%2F&y HTTP/1.1\r\nHost: a\r\n\r\n')).startLine).toBe('GET /v1/../a%20b?x=%2F&y HTTP/1.1')
  })

  test.each([
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a foreign transfer coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n'],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['length and chunks', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
  ])('%s is refused and never reaches the engine', async (_name, request) => {
    let reached = 0
    const { port } = await setUp(() => {
      reached++
    })
    const client = startClient(port, request)
    expect((await client.response()).startLine).toMatch(/^HTTP\/1\.1 400 /)
    await client.ended
    expect(reached).toBe(0)
  })

  test('Expect: 100-continue asks the engine first', async () => {
    const { port } = await setUp((socket, message) => {
      if (message.body.length === 0) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }, true)
    const client = startClient(port, 'POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
    await expect.poll(() => client.received().toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    client.socket.destroy()
  })

  test('an early hint is relayed as it came', async () => {
    const { port } = await setUp((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    const client = startClient(port, post())
    await expect.poll(() => client.received().includes('ok')).toBe(true)
    expect(client.received().toString()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK/)
    client.socket.destroy()
  })

  test('an HTTP/1.0 client gets a body without chunks and a closed connection', async () => {
    const { port } = await setUp((socket) =>
      socket.write(Buffer.concat([Buffer.from(SSE_HEAD), chunk('data: x\n\n'), Buffer.from('0\r\n\r\n')])),
    )
    const client = startClient(port, 'GET / HTTP/1.0\r\n\r\n')
    await client.ended
    expect(client.received().toString()).not.toContain('chunked')
    expect(client.received().toString()).toMatch(/\r\n\r\ndata: x\n\n$/)
  })
})

describe('trouble on one side is the same trouble on the other', () => {
  test('the engine cannot be reached: 502 that says so', async () => {
    const { proxy, port, nextRecord } = await startProxy(1)
    open.push(proxy)
    const response = await startClient(port, post()).response()
    expect(response.startLine).toBe('HTTP/1.1 502 Bad Gateway')
    expect(JSON.parse(response.body.toString()).error).toMatchObject({ type: 'upstream_unreachable', code: 502 })
    expect(await nextRecord()).toMatchObject({ ending: 'upstream_unreachable', status: 502, at: { sent: null } })
  })

  test.each([
    ['closes without a word', ''],
    ['answers rubbish', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['answers a header that never was', 'HTTP/1.1 200 OK\r\nbad header\r\n\r\n'],
    ['sends a status out of range', 'HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['sends two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ])('the engine %s: 502', async (_name, bytes) => {
    const { port, nextRecord } = await setUp((socket) => socket.end(bytes))
    const response = await startClient(port, post()).response()
    expect(response.startLine).toBe('HTTP/1.1 502 Bad Gateway')
    expect((await nextRecord()).ending).toBe('upstream_reset')
  })

  test.each([
    ['closes in the middle of a chunked body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'end'],
    ['resets in the middle of a chunked body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'reset'],
    ['closes before its length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello', 'end'],
    ['sends a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n', 'end'],
  ])('the engine %s: the client gets what came and a broken end', async (_name, bytes, how) => {
    const { port, nextRecord } = await setUp((socket) => {
      socket.write(bytes, () => setTimeout(() => (how === 'reset' ? socket.resetAndDestroy() : socket.end()), 20))
    })
    const response = await startClient(port, post()).response()
    expect(response).toMatchObject({ startLine: 'HTTP/1.1 200 OK', complete: false })
    expect(response.body.toString()).toBe('hello')
    expect((await nextRecord()).ending).toBe('upstream_truncated')
  })

  test('the engine resets a stream without framing: an HTTP/1.0 client sees a reset, not an end', async () => {
    const { port } = await setUp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      )
    })
    const client = startClient(port, 'GET / HTTP/1.0\r\n\r\n')
    expect(await client.ended).toBe('error')
    expect(client.received().toString()).toContain('hello')
  })

  test.each(['before the headers', 'in the stream'])('the client leaves %s: the engine knows at once', async (when) => {
    let gone: (atMs: number) => void = () => {}
    const closed = new Promise<number>((resolve) => {
      gone = resolve
    })
    let arrived: () => void = () => {}
    const served = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const { port, nextRecord } = await setUp((socket) => {
      socket.on('close', () => gone(performance.now()))
      if (when === 'in the stream') socket.write(Buffer.concat([Buffer.from(SSE_HEAD), chunk('data: {}\n\n')]))
      arrived()
    })
    const client = startClient(port, post())
    await served
    if (when === 'in the stream') await expect.poll(() => client.received().includes('data')).toBe(true)
    const left = performance.now()
    client.socket.destroy()
    expect((await closed) - left).toBeLessThan(1_000)
    expect((await nextRecord()).ending).toBe('client_aborted')
  })

  test('the client leaves in the middle of its upload: the engine knows, and no answer is made up', async () => {
    let closes: () => void = () => {}
    const closed = new Promise<void>((resolve) => {
      closes = resolve
    })
    const { port, nextRecord } = await setUp((socket) => socket.on('close', () => closes()), true)
    const client = startClient(port, 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"model":')
    await expect.poll(() => client.socket.bytesWritten > 0).toBe(true)
    setTimeout(() => client.socket.destroy(), 50)
    await closed
    expect(await nextRecord()).toMatchObject({ ending: 'client_aborted', at: { received: null, sent: null } })
  })

  test('the engine answers before the upload is complete: the client can read the answer', async () => {
    const { port } = await setUp((socket) => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig'), true)
    const client = startClient(port, 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n')
    for (let sent = 0; sent < 30; sent++) client.socket.write(Buffer.alloc(100_000))
    const response = await client.response()
    expect(response).toMatchObject({ startLine: 'HTTP/1.1 413 Too Large', complete: true })
    client.socket.destroy()
  })
})

describe('flow', () => {
  test('a slow reader holds the engine back: little is buffered', async () => {
    let accepted = 0
    const { port } = await setUp((socket) => {
      socket.write(SSE_HEAD)
      const block = chunk(Buffer.alloc(65_536, 'a'))
      const pump = () => {
        while (accepted < 400) {
          accepted++
          if (!socket.write(block)) break
        }
      }
      socket.on('drain', pump)
      pump()
    })
    const client = startClient(port, post())
    client.socket.pause()
    let before = -1
    await expect
      .poll(
        () => {
          const stalled = accepted === before
          before = accepted
          return stalled
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true)
    // 26 MB were on offer; what left the engine is in kernel buffers on both hops and one read of ours.
    expect(accepted).toBeLessThan(300)
    client.socket.resume()
    await expect.poll(() => client.received().length, { timeout: 10_000 }).toBeGreaterThan(400 * 65_536)
    client.socket.destroy()
  })

  test('100 MB up and down pass without being held', async () => {
    const size = 100 * 1024 * 1024
    let uploaded = 0
    const engine = await startEngine((socket, { body }) => {
      socket.removeAllListeners('data')
      uploaded = body.length
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      socket.write(body)
      socket.on('data', (data: Buffer) => {
        uploaded += data.length
        if (!socket.write(data)) {
          socket.pause()
          socket.once('drain', () => socket.resume())
        }
      })
    }, true)
    const { proxy, port, nextRecord } = await startProxy(engine.port)
    open.push(proxy, engine)
    const client = startClient(port, `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
    client.socket.removeAllListeners('data')
    let downloaded = 0
    client.socket.on('data', (data: Buffer) => {
      downloaded += data.length
    })
    const block = Buffer.alloc(1024 * 1024, 'x')
    let peak = 0
    for (let sent = 0; sent < 100; sent++) {
      if (!client.socket.write(block)) await new Promise((resolve) => client.socket.once('drain', resolve))
      if (sent % 10 !== 9) continue
      collect()
      peak = Math.max(peak, process.memoryUsage().arrayBuffers)
    }
    await nextRecord()
    expect(uploaded).toBe(size)
    await expect.poll(() => downloaded).toBeGreaterThan(size)
    expect(peak).toBeLessThan(64 * 1024 * 1024)
    client.socket.destroy()
  }, 30_000)

  test('pipelined requests are answered in order', async () => {
    const { port } = await setUp((socket, message) => {
      const path = message.startLine.split(' ')[1] as string
      setTimeout(() => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`), path === '/a' ? 50 : 0)
    })
    const client = startClient(port, 'GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => client.received().toString()).toMatch(/\/a.*\/b$/s)
    client.socket.destroy()
  })

  test('a WebSocket upgrade passes both ways; an offer of h2c is an ordinary request', async () => {
    const { port } = await setUp((socket, message) => {
      if (headerOf(message, 'upgrade').length === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain')
      else {
        socket.removeAllListeners('data')
        socket.on('data', (data) => socket.write(data))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      }
    })
    const upgraded = startClient(port, 'GET /v1/realtime HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await expect.poll(() => upgraded.received().includes('101')).toBe(true)
    upgraded.socket.write('echo me')
    await expect.poll(() => upgraded.received().includes('echo me')).toBe(true)
    upgraded.socket.destroy()
    const offered = startClient(
      port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
    )
    expect((await offered.response()).body.toString()).toBe('plain')
    offered.socket.destroy()
  })

  test('an upgrade that servers would read differently is refused before it reaches the engine', async () => {
    let reached = 0
    const { port } = await setUp(() => reached++)
    const head = 'GET /v1/realtime HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    const client = startClient(port, head)
    const response = await client.response()
    expect(response.startLine).toBe('HTTP/1.1 400 Bad Request')
    expect(response.body.toString()).toBe('more than one Host field')
    expect(reached).toBe(0)
  })

  test('draining: streams finish, idle connections close, nobody new is let in', async () => {
    let finish: () => void = () => {}
    const { proxy, port } = await setUp((socket) => {
      socket.write(Buffer.concat([Buffer.from(SSE_HEAD), chunk('data: 1\n\n')]))
      finish = () => socket.write(Buffer.concat([chunk('data: 2\n\n'), Buffer.from('0\r\n\r\n')]))
    })
    const client = startClient(port, post())
    await expect.poll(() => client.received().includes('data: 1')).toBe(true)
    let drained = false
    const drain = proxy.drain().then(() => {
      drained = true
    })
    expect(await startClient(port, post()).ended).toBe('error')
    expect(drained).toBe(false)
    finish()
    expect(await client.response()).toMatchObject({ complete: true })
    await client.ended
    await drain
  })
})

describe('time', () => {
  test('nothing of ours cuts a late first token or a long stream', async () => {
    const { proxy, port, engine } = await setUp(() => {})
    expect(proxy.server).toMatchObject({ requestTimeout: 0, timeout: 0 })
    const connected = new Promise<Socket>((resolve) => proxy.server.once('connection', resolve))
    const client = startClient(port, post())
    const socket = await connected
    await expect.poll(() => engine.sockets.size).toBe(1)
    expect(socket.timeout ?? 0).toBe(0)
    client.socket.destroy()
  })

  test('a first token after 650 s and a gap of 310 s are stamped and pass (manual clock)', async () => {
    const clock = createManualClock()
    let engineSocket: Socket | undefined
    const engine = await startEngine((socket) => {
      engineSocket = socket
      socket.write(SSE_HEAD)
    })
    const { proxy, port, nextRecord } = await startProxy(engine.port, clock)
    open.push(proxy, engine)
    const client = startClient(port, post())
    await expect.poll(() => client.received().includes('event-stream')).toBe(true)
    const event = (content: string) => chunk(`data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`)
    clock.advance(650_000)
    engineSocket?.write(event('a'))
    await expect.poll(() => client.received().includes('"a"')).toBe(true)
    clock.advance(310_000)
    engineSocket?.write(event('b'))
    await expect.poll(() => client.received().includes('"b"')).toBe(true)
    engineSocket?.write('0\r\n\r\n')
    const record = await nextRecord()
    expect(record).toMatchObject({ ending: 'complete', endMs: 960_000, chunks: 2, worstGaps: [[960_000, 310_000]] })
    expect(record.at).toMatchObject({ firstToken: 650_000, firstAnswer: 650_000, lastToken: 960_000, firstReasoning: null })
    client.socket.destroy()
  })

  test('open requests are listed with what is known of them', async () => {
    const clock = createManualClock()
    const engine = await startEngine((socket) => socket.write(SSE_HEAD))
    const { proxy, port } = await startProxy(engine.port, clock)
    open.push(proxy, engine)
    const client = startClient(port, post())
    await expect.poll(() => client.received().includes('event-stream')).toBe(true)
    clock.advance(7_000)
    const [exchange, ...others] = [...proxy.openRequests()]
    expect(others).toEqual([])
    expect(exchange).toMatchObject({
      ageMs: 7_000,
      status: 200,
      path: '/v1/chat/completions',
      fields: { model: 'm', stream: true, maxTokens: 5 },
    })
    client.socket.destroy()
    await expect.poll(() => proxy.openCount).toBe(0)
  })
})
