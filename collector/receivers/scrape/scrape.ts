// Reads an engine's /metrics page every few seconds, within limits of size and time: a page that never ends costs no more than one that
// is too large. What the page means is decided by its consumer.
import type { IncomingMessage } from 'node:http'
import { createGunzip } from 'node:zlib'
import type { Clock } from '@longpole/model/clock'
import { http, https } from '../../../src/wire/http/node-http.ts'

export type ScrapeResult = { kind: 'page'; text: string } | { kind: 'failed'; reason: ScrapeFailure }
export type ScrapeFailure = 'unreachable' | 'timeout' | 'status' | 'too_large' | 'broken'

export interface ScrapeLimits {
  /** Of the page after decompression. */
  maxBytes: number
  timeoutMs: number
}

export const SCRAPE_LIMITS: ScrapeLimits = { maxBytes: 16 * 1024 * 1024, timeoutMs: 4_000 }

/** One look at the page. Redirects are not followed: the target is the one that was configured. Never rejects. */
export function scrape(url: URL, { maxBytes, timeoutMs }: ScrapeLimits = SCRAPE_LIMITS): Promise<ScrapeResult> {
  return new Promise((resolve) => {
    const { request: send } = url.protocol === 'https:' ? https : http
    const headers = { accept: 'text/plain;version=0.0.4', 'accept-encoding': 'gzip', connection: 'close' }
    const finish = (result: ScrapeResult) => {
      clearTimeout(timer)
      resolve(result)
      request.destroy()
    }
    const request = send(url, { agent: false, headers }, (response) => {
      if (response.statusCode !== 200) finish({ kind: 'failed', reason: 'status' })
      else readPage(response, maxBytes, finish)
    })
    request.on('error', () => finish({ kind: 'failed', reason: 'unreachable' }))
    const timer = setTimeout(() => finish({ kind: 'failed', reason: 'timeout' }), timeoutMs)
    request.end()
  })
}

function readPage(response: IncomingMessage, maxBytes: number, finish: (result: ScrapeResult) => void): void {
  const encoding = response.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    finish({ kind: 'failed', reason: 'broken' })
    return
  }
  const parts: Buffer[] = []
  let size = 0
  const page = encoding === 'gzip' ? response.pipe(createGunzip()) : response
  page.on('data', (part: Buffer) => {
    parts.push(part)
    size += part.length
    if (size > maxBytes) finish({ kind: 'failed', reason: 'too_large' })
  })
  page.on('end', () =>
    finish(response.complete ? { kind: 'page', text: Buffer.concat(parts).toString() } : { kind: 'failed', reason: 'broken' }),
  )
  page.on('error', () => finish({ kind: 'failed', reason: 'broken' }))
  response.on('aborted', () => finish({ kind: 'failed', reason: 'broken' }))
}

export interface ScraperSettings {
  url: URL
  intervalMs: number
  limits?: ScrapeLimits
  clock: Clock
  /** Each look, with the time at which it was asked for. */
  onResult(result: ScrapeResult, unixNano: bigint): void
}

export interface Scraper {
  stop(): void
}

/** Looks at once, then every `intervalMs`; a slow page delays the next look, it never doubles it. */
export function startScraper({ url, intervalMs, limits, clock, onResult }: ScraperSettings): Scraper {
  let stopped = false
  let timer: NodeJS.Timeout | null = null
  async function look(): Promise<void> {
    const unixNano = clock.unixNano()
    const startMs = clock.monotonicMs()
    const result = await scrape(url, limits)
    if (stopped) return
    onResult(result, unixNano)
    timer = setTimeout(look, Math.max(0, intervalMs - (clock.monotonicMs() - startMs)))
    timer.unref()
  }
  void look()
  return {
    stop() {
      stopped = true
      if (timer !== null) clearTimeout(timer)
    },
  }
}
