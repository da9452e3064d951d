// Plays recorded exchanges as a program with our SDK would have made them: SDK client → sidecar → a server that answers as recorded.
// Headers go as recorded, `traceparent` and `x-request-id` included, so that recorded engine spans of the same capture join.
import { instrumentFetch } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import { InputError } from '../input-error.ts'
import type { RecordedExchange } from './exchange.ts'
import type { HubAddress } from './otlp-client.ts'
import { EXCHANGE_HEADER, sleepUntil, startPlaybackServer } from './playback-server.ts'
import { startSidecar } from './sidecar-process.ts'

export type Pace = 'real' | 'fast'

export interface PlayResult {
  played: number
  /** Exchanges whose answer was not the recorded one, with the reason. */
  failed: { file: string; reason: string }[]
}

/** Exchanges at a time with `fast`: their own times stay real, only the pauses between them go. */
const FAST_CONCURRENCY = 4
/** Longest pause kept between two exchanges with `real`. */
const LONGEST_PAUSE_MS = 5_000

/** The client's own connection headers, and those the HTTP layer writes. */
const CONNECTION_HEADERS = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding'])

/** Plays all and waits until sidecar and SDK have handed their spans over. */
export async function playExchanges(
  exchanges: readonly RecordedExchange[],
  options: { hub: HubAddress; pace: Pace; onPlayed: (played: number) => void },
): Promise<PlayResult> {
  if (options.hub.token !== undefined) process.env.OTEL_EXPORTER_OTLP_HEADERS ??= `authorization=Bearer%20${options.hub.token}`
  const tracing = startTracing({ endpoint: options.hub.url, serviceName: 'longpole-replay', flushOnExit: false })
  const server = await startPlaybackServer(exchanges)
  const sidecar = await startSidecar(server.url, options.hub)
  const client = instrumentFetch(fetch)
  const result: PlayResult = { played: 0, failed: [] }
  const playOne = async (index: number): Promise<void> => {
    const exchange = exchanges[index] as RecordedExchange
    const reason = await send(client, sidecar.url, exchange, index)
    if (reason !== null) result.failed.push({ file: exchange.file, reason })
    options.onPlayed(++result.played)
  }
  try {
    if (options.pace === 'real') await playInTime(exchanges, playOne)
    else await playSideBySide(exchanges.length, playOne)
  } finally {
    await sidecar.stop()
    await tracing.shutdown()
    await server.close()
  }
  return result
}

/** In the recorded order and distance; those without a recorded start follow one after the other. */
async function playInTime(exchanges: readonly RecordedExchange[], playOne: (index: number) => Promise<void>): Promise<void> {
  const order = exchanges
    .map((exchange, index) => ({ index, at: exchange.startUnixMs }))
    .sort((left, right) => (left.at ?? 0) - (right.at ?? 0))
  const running: Promise<void>[] = []
  let due = performance.now()
  let before: number | null = null
  for (const { index, at } of order) {
    if (at === null) {
      await playOne(index)
      continue
    }
    if (before !== null) due += Math.min(LONGEST_PAUSE_MS, at - before)
    before = at
    await sleepUntil(due)
    running.push(playOne(index))
  }
  await Promise.all(running)
}

async function playSideBySide(count: number, playOne: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await playOne(next++)
  }
  await Promise.all(Array.from({ length: Math.min(FAST_CONCURRENCY, count) }, worker))
}

/** Null when the answer had the recorded status and bytes, or the client left as recorded. */
async function send(client: typeof fetch, base: string, exchange: RecordedExchange, index: number): Promise<string | null> {
  const leave = new AbortController()
  if (exchange.abortedMs !== null) setTimeout(() => leave.abort(), exchange.abortedMs).unref()
  const headers = new Headers({ [EXCHANGE_HEADER]: String(index) })
  for (const [name, value] of Object.entries(exchange.requestHeaders)) {
    if (!CONNECTION_HEADERS.has(name.toLowerCase())) headers.set(name, value)
  }
  try {
    const response = await client(new URL(exchange.path, base), {
      method: exchange.method,
      headers,
      body: exchange.requestBody,
      signal: leave.signal,
    })
    const text = await response.text()
    if (response.status !== exchange.status) return `expected status ${exchange.status}, got ${response.status}`
    const recorded = exchange.chunks.reduce((sum, { bytes }) => sum + Buffer.byteLength(bytes), 0)
    return Buffer.byteLength(text) === recorded ? null : `expected ${recorded} bytes, got ${Buffer.byteLength(text)}`
  } catch (error) {
    if (leave.signal.aborted) return null
    if (error instanceof InputError) throw error
    return error instanceof Error ? error.message : String(error)
  }
}
