import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createManualClock } from '@longpole/model/clock'
import { afterEach, expect, test } from 'vitest'
import { type ScrapeResult, scrape, startScraper } from './scrape.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)
}

const BOMB = gzipSync(Buffer.alloc(50_000_000))
const LIMITS = { maxBytes: 100_000, timeoutMs: 500 }

test('a page is read, plain or compressed', async () => {
  const plain = await serve((_request, response) => response.end('a 1\n'))
  const packed = await serve((_request, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('b 2\n')))
  expect(await scrape(plain, LIMITS)).toEqual({ kind: 'page', text: 'a 1\n' })
  expect(await scrape(packed, LIMITS)).toEqual({ kind: 'page', text: 'b 2\n' })
})

test.each<[string, RequestListener, string]>([
  ['never ends, fast', (_request, response) => void setInterval(() => response.write('x'.repeat(50_000)), 1).unref(), 'too_large'],
  ['never ends, slowly', (_request, response) => void response.write('a 1\n'), 'timeout'],
  ['never begins', () => {}, 'timeout'],
  ['is a bomb', (_request, response) => response.setHeader('content-encoding', 'gzip').end(BOMB), 'too_large'],
  ['is not what it says', (_request, response) => response.setHeader('content-encoding', 'gzip').end('plain'), 'broken'],
  ['is packed in another way', (_request, response) => response.setHeader('content-encoding', 'br').end('x'), 'broken'],
  ['breaks off', (_request, response) => response.setHeader('content-length', 100).write('a', () => response.destroy()), 'broken'],
  ['is an error', (_request, response) => response.writeHead(503).end('a 1\n'), 'status'],
  ['is elsewhere', (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(), 'status'],
])('a page that %s fails with its reason', async (_name, listener, reason) => {
  expect(await scrape(await serve(listener), LIMITS)).toEqual({ kind: 'failed', reason })
})

test('nobody there is unreachable', async () => {
  expect(await scrape(new URL('http://127.0.0.1:1/metrics'), LIMITS)).toEqual({ kind: 'failed', reason: 'unreachable' })
})

test('a scraper looks again and again until it is stopped', async () => {
  let looks = 0
  const url = await serve((_request, response) => response.end(`looks ${++looks}\n`))
  const results: ScrapeResult[] = []
  const scraper = startScraper({
    url,
    intervalMs: 1,
    limits: LIMITS,
    clock: createManualClock(),
    onResult: (result) => results.push(result),
  })
  await expect.poll(() => results.length).toBeGreaterThan(3)
  scraper.stop()
  const seen = results.length
  await scrape(url, LIMITS)
  expect(results.length).toBe(seen)
  expect(results[0]).toEqual({ kind: 'page', text: 'looks 1\n' })
})
