// What the SDK costs: per request against the same spans written by hand with OpenTelemetry, per token against reading the clock, and
// how far its first-token stamp lies behind a relay on the same connection. Ratios count; absolute numbers are this machine's.
// `npm run bench:sdk [-- --json]`
import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { formatOverhead, instrumentFetch, overhead } from '@longpole/sdk'
import { type HrTime, SpanKind, trace } from '@opentelemetry/api'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { StreamTimer } from '../src/sdk/stream-timer.ts'

const ROUNDS = 7
const nothing: SpanExporter = { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {}, forceFlush: async () => {} }

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
}

const TOKEN = Buffer.from(
  `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}${' '.repeat(60)}\n\n`,
)

/** Microseconds of processor time since `from`: on a shared machine the wall clock also counts the neighbours. */
function cpuSince(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from)
  return user + system
}

/** Nanoseconds one streamed token costs: stamp, scan, gap. */
function tokenCost(): { perToken: number; perStamp: number } {
  const tokens = 200_000
  const rounds: number[] = []
  const stamps: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const timer = new StreamTimer('events')
    const began = process.cpuUsage()
    for (let token = 0; token < tokens; token++) timer.observe(TOKEN, performance.now())
    rounds.push((cpuSince(began) * 1000) / tokens)
    const empty = process.cpuUsage()
    let sum = 0
    for (let token = 0; token < tokens; token++) sum += performance.now()
    stamps.push((cpuSince(empty) * 1000) / tokens + sum * 0)
  }
  return { perToken: median(rounds), perStamp: median(stamps) }
}

const SPANS = 5
const ATTRIBUTES = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`attribute.${index}`, index % 2 ? 'value' : index]))

/** A fetch with as many spans, of as many attributes, written plainly: what anybody pays who wants them. */
function withPlainSpans(provider: TracerProvider): typeof fetch {
  const tracer = provider.getTracer('plain')
  return async (...args) => {
    const response = await fetch(...args)
    for (let span = 0; span < SPANS; span++) {
      const startTime: HrTime = [1, span]
      tracer.startSpan('plain', { kind: SpanKind.CLIENT, startTime, attributes: ATTRIBUTES }).end([1, span + 1])
    }
    return response
  }
}

async function startEngine(tokens: number, everyMs: number) {
  const server = createHttpServer((request, response: ServerResponse) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n')
    let left = tokens
    const next = () => {
      if (left-- > 0) {
        response.write(TOKEN)
        if (everyMs > 0) setTimeout(next, everyMs)
        else setImmediate(next)
      } else response.end('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    }
    setTimeout(next, everyMs)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() && server.closeAllConnections() }
}

/** A TCP relay that stamps the first bytes of a filled delta as they pass, one stamp a connection and answer. */
async function startRelay(upstream: number) {
  const stamps: number[] = []
  const server = createServer((client) => {
    const engine = connect(upstream, '127.0.0.1')
    client.setNoDelay(true)
    engine.setNoDelay(true)
    let seen = false
    client.on('data', (bytes) => {
      seen = false
      engine.write(bytes)
    })
    engine.on('data', (bytes) => {
      if (!seen && bytes.includes(' word')) {
        seen = true
        stamps.push(performance.timeOrigin + performance.now())
      }
      client.write(bytes)
    })
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, stamps, close: () => server.close() }
}

/** Milliseconds from the relay's stamp to the SDK's, over requests that run one after the other beside a busy loop's noise. */
async function firstTokenLag(requests: number): Promise<{ p50: number; p95: number; p99: number }> {
  const engine = await startEngine(5, 2)
  const relay = await startRelay(engine.port)
  const firstTokens: number[] = []
  const exporter: SpanExporter = {
    ...nothing,
    export(spans, done) {
      for (const span of spans) {
        const at = span.attributes['longpole.at.first_token']
        if (span.attributes['longpole.role'] === 'request')
          firstTokens.push(span.startTime[0] * 1000 + span.startTime[1] / 1e6 + Number(at) * 1000)
      }
      done({ code: 0 })
    },
  }
  const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] })
  const traced = instrumentFetch(fetch, { tracerProvider: provider })
  const url = `http://127.0.0.1:${relay.port}/v1/chat/completions`
  for (let request = 0; request < requests; request++) {
    await (await traced(url, { method: 'POST', body: '{"model":"m","stream":true}' })).text()
  }
  await provider.shutdown()
  relay.close()
  engine.close()
  // The relay runs in this process, so that both clocks are one, up to the anchor's millisecond: the smallest lag sets the zero.
  const lags = firstTokens.map((at, index) => at - (relay.stamps[index] as number))
  const zero = Math.min(...lags)
  return { p50: quantile(lags, 0.5) - zero, p95: quantile(lags, 0.95) - zero, p99: quantile(lags, 0.99) - zero }
}

/** CPU of the same requests bare, with plain spans, and traced, in turn. Microseconds a request, engine included. */
async function requestCost(requests: number): Promise<{ bareUs: number; plainUs: number; tracedUs: number }> {
  const engine = await startEngine(20, 0)
  const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter: nothing })] })
  const calls = [fetch, withPlainSpans(provider), instrumentFetch(fetch, { tracerProvider: provider })]
  const url = `http://127.0.0.1:${engine.port}/v1/chat/completions`
  const rounds: number[][] = calls.map(() => [])
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, call] of calls.entries()) {
      const cpu = process.cpuUsage()
      for (let request = 0; request < requests; request++) {
        await (await call(url, { method: 'POST', body: '{"model":"m","stream":true}' })).text()
      }
      // The first round warms up.
      if (round > 0) rounds[index]?.push(cpuSince(cpu) / requests)
    }
  }
  engine.close()
  await provider.shutdown()
  const [bareUs, plainUs, tracedUs] = rounds.map(median) as [number, number, number]
  return { bareUs, plainUs, tracedUs }
}

trace.disable()
const token = tokenCost()
const request = await requestCost(300)
const own = overhead()
const lag = await firstTokenLag(300)
const result = {
  bareRequestMicroseconds: request.bareUs,
  plainSpansMicroseconds: request.plainUs - request.bareUs,
  requestMicroseconds: request.tracedUs - request.bareUs,
  requestOverPlainSpans: (request.tracedUs - request.bareUs) / (request.plainUs - request.bareUs),
  tokenNanoseconds: token.perToken,
  stampNanoseconds: token.perStamp,
  tokenWithoutStampNanoseconds: token.perToken - token.perStamp,
  overhead: own,
  firstTokenLagMilliseconds: lag,
}
if (process.argv.includes('--json')) console.log(JSON.stringify(result, null, 2))
else {
  console.log(
    `one request of 20 tokens: ${result.requestMicroseconds.toFixed(0)} µs of CPU on top of ${request.bareUs.toFixed(0)} µs (engine included)`,
  )
  console.log(
    `the same ${SPANS} spans written plainly: ${result.plainSpansMicroseconds.toFixed(0)} µs; ratio ${result.requestOverPlainSpans.toFixed(2)}`,
  )
  console.log(`one token: ${token.perToken.toFixed(0)} ns, of which the stamp ${token.perStamp.toFixed(0)} ns`)
  console.log(`first token behind the relay: p50 ${lag.p50.toFixed(3)} ms, p95 ${lag.p95.toFixed(3)} ms, p99 ${lag.p99.toFixed(3)} ms`)
  console.log(formatOverhead(own))
}
process.exit(0)
