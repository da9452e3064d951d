import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createManualClock } from '@longpole/model/clock'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createExporter, type Exporter, type ExporterSettings } from './exporter.ts'
import { createPost, type Post, type PostResult } from './post.ts'

const servers: Server[] = []
const exporters: Exporter[] = []
afterEach(async () => {
  for (const exporter of exporters.splice(0)) exporter.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function startHub(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`)
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function setUp(url: URL, overrides: Partial<ExporterSettings> = {}) {
  const counts = { received: 0, exported: 0, dropped: {} as Record<string, number>, rejected: {} as Record<string, number> }
  const exporter = createExporter({
    url,
    maxQueueBytes: 1_000_000,
    maxQueueItems: 10_000,
    backoff: { firstMs: 1, mostMs: 5 },
    clock: createManualClock(),
    random: () => 0.5,
    account: {
      exported: (items) => {
        counts.exported += items
      },
      dropped: (items, reason) => {
        counts.dropped[reason] = (counts.dropped[reason] ?? 0) + items
      },
      rejected: (items, reason) => {
        counts.rejected[reason] = (counts.rejected[reason] ?? 0) + items
      },
    },
    ...overrides,
  })
  exporters.push(exporter)
  const send = (items: number, size = 10) => {
    counts.received += items
    exporter.enqueue({ bytes: new Uint8Array(size), contentType: 'application/x-protobuf' }, items)
  }
  const isConserved = () => {
    const dropped = Object.values(counts.dropped).reduce((sum, value) => sum + value, 0)
    return counts.received === counts.exported + dropped + exporter.inFlight().items
  }
  return { exporter, counts, send, isConserved }
}

describe('over HTTP', () => {
  test('a body arrives as it is, with its type, encoding and the headers of the configuration', async () => {
    const seen: unknown[] = []
    const url = await startHub(async (request, response) => {
      const { 'content-type': type, 'content-encoding': encoding, authorization } = request.headers
      seen.push([request.method, request.url, type, encoding, authorization, (await read(request)).toString()])
      response.end()
    })
    const { exporter, counts } = setUp(url, { headers: { authorization: 'Bearer token' } })
    exporter.enqueue({ bytes: Buffer.from('body'), contentType: 'application/x-protobuf', contentEncoding: 'gzip' }, 3)
    expect(await exporter.flush(2_000)).toBe(true)
    expect(seen).toEqual([['POST', '/v1/traces', 'application/x-protobuf', 'gzip', 'Bearer token', 'body']])
    expect(counts.exported).toBe(3)
  })

  test.each([429, 502, 503, 504])('%d is tried again until it is taken', async (status) => {
    let tries = 0
    const url = await startHub((request, response) => {
      request.resume()
      response.statusCode = ++tries < 4 ? status : 200
      response.end()
    })
    const { exporter, counts, send, isConserved } = setUp(url)
    send(5)
    expect(await exporter.flush(2_000)).toBe(true)
    expect(counts).toMatchObject({ exported: 5, dropped: {}, rejected: { unavailable: 15 } })
    expect(isConserved()).toBe(true)
  })

  test.each([400, 401, 404, 413, 500, 301])('%d is final: dropped, counted, and the next body goes on', async (status) => {
    let tries = 0
    const url = await startHub((request, response) => {
      request.resume()
      response.statusCode = ++tries === 1 ? status : 200
      response.end()
    })
    const { exporter, counts, send } = setUp(url, { concurrency: 1 })
    send(5)
    send(7)
    expect(await exporter.flush(2_000)).toBe(true)
    expect(counts).toMatchObject({ exported: 7, dropped: { refused: 5 } })
  })

  test('partial success counts what was not taken, in protobuf and in JSON', async () => {
    const answers: [string, Buffer][] = [
      ['application/x-protobuf', Buffer.from([0x0a, 0x02, 0x08, 0x02])],
      ['application/json', Buffer.from('{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}')],
      ['application/json', Buffer.from('not json')],
      ['application/x-protobuf', Buffer.from([0x0a, 0xff])],
    ]
    const url = await startHub((request, response) => {
      request.resume()
      const [type, body] = answers.shift() as [string, Buffer]
      response.setHeader('content-type', type)
      response.end(body)
    })
    const { exporter, counts, send } = setUp(url, { concurrency: 1 })
    for (let index = 0; index < 4; index++) send(10)
    expect(await exporter.flush(2_000)).toBe(true)
    expect(counts).toMatchObject({ exported: 35, dropped: { partial_success: 5 } })
  })

  test('a hub that is not there: rejected, kept, delivered once it is', async () => {
    const url = await startHub((request, response) => {
      request.resume()
      response.end()
    })
    const away = new URL('http://127.0.0.1:1/v1/traces')
    const real = createPost({ url, headers: {}, timeoutMs: 1_000 })
    const missing = createPost({ url: away, headers: {}, timeoutMs: 1_000 })
    let isUp = false
    const post: Post = Object.assign((body: Parameters<Post>[0]) => (isUp ? real(body) : missing(body)), { close: () => real.close() })
    const { exporter, counts, send, isConserved } = setUp(away, { post })
    send(5)
    await expect.poll(() => counts.rejected.unreachable ?? 0).toBeGreaterThan(10)
    expect(isConserved()).toBe(true)
    isUp = true
    expect(await exporter.flush(2_000)).toBe(true)
    expect(counts.exported).toBe(5)
  })

  test('an answer that drips, or never ends, is cut off', async () => {
    let endless = true
    const url = await startHub((request, response) => {
      request.resume()
      response.writeHead(200)
      if (!endless) return void response.write('x')
      endless = false
      const flood = () => {
        while (response.write(Buffer.alloc(65_536))) if (response.destroyed) return
        response.once('drain', flood)
      }
      flood()
    })
    const { exporter, counts, send } = setUp(url, { timeoutMs: 200, concurrency: 1 })
    send(1)
    expect(await exporter.flush(2_000)).toBe(true)
    expect(counts.exported).toBe(1)
    send(2)
    await expect.poll(() => counts.rejected.timeout ?? 0).toBeGreaterThan(0)
  })

  test('Retry-After is honoured', async () => {
    const results: PostResult[] = [
      { kind: 'again', reason: 'unavailable', waitMs: 400 },
      { kind: 'accepted', refused: 0 },
    ]
    const times: number[] = []
    const post: Post = Object.assign(
      () => {
        times.push(performance.now())
        return Promise.resolve(results.shift() as PostResult)
      },
      { close: () => {} },
    )
    const { counts, send } = setUp(new URL('http://x/'), { post, backoff: { firstMs: 1, mostMs: 30_000 } })
    send(1)
    await expect.poll(() => counts.exported, { timeout: 3_000 }).toBe(1)
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThan(390)
  })
})

describe('the queue', () => {
  const never: Post = Object.assign(() => new Promise<PostResult>(() => {}), { close: () => {} })

  test('drops the oldest that is not being sent, by items and by bytes', () => {
    const { exporter, counts, send, isConserved } = setUp(new URL('http://x/'), {
      post: never,
      maxQueueItems: 100,
      maxQueueBytes: 1_000,
      concurrency: 1,
    })
    for (let index = 0; index < 12; index++) send(10)
    expect(counts.dropped).toEqual({ queue_full: 20 })
    expect(exporter.inFlight()).toMatchObject({ items: 100, bytes: 100 })
    expect(exporter.fullness()).toBe(1)
    send(1, 950)
    expect(exporter.inFlight().bytes).toBeLessThanOrEqual(1_000)
    expect(isConserved()).toBe(true)
  })

  test('close drops what is left, and what comes later', () => {
    const { exporter, counts, send, isConserved } = setUp(new URL('http://x/'), { post: never })
    send(5)
    exporter.close()
    send(2)
    expect(counts.dropped).toEqual({ shutdown: 7 })
    expect(isConserved()).toBe(true)
  })

  test('flush gives up at its limit', async () => {
    const { exporter, send } = setUp(new URL('http://x/'), { post: never })
    send(5)
    expect(await exporter.flush(10)).toBe(false)
  })

  test('whatever the receiver does, received = exported + dropped + in flight', async () => {
    const result = fc.oneof(
      fc.record({ kind: fc.constant('accepted' as const), refused: fc.nat(30) }),
      fc.constant<PostResult>({ kind: 'again', reason: 'unavailable', waitMs: 0 }),
      fc.constant<PostResult>({ kind: 'refused', status: 400 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(result, { maxLength: 40 }), fc.array(fc.nat(20), { maxLength: 40 }), async (results, sizes) => {
        const pending = [...results]
        const post: Post = Object.assign(() => Promise.resolve(pending.shift() ?? { kind: 'accepted' as const, refused: 0 }), {
          close: () => {},
        })
        const { exporter, send, isConserved } = setUp(new URL('http://x/'), { post, maxQueueItems: 60, backoff: { firstMs: 0, mostMs: 0 } })
        for (const size of sizes) {
          send(size)
          expect(isConserved()).toBe(true)
          if (size % 3 === 0) await Promise.resolve()
        }
        await exporter.flush(1_000)
        expect(isConserved()).toBe(true)
        expect(exporter.inFlight()).toMatchObject({ items: 0, bytes: 0 })
      }),
      { numRuns: 100, seed: 5 },
    )
  })
})
