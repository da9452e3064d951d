import type { RequestListener, ServerResponse } from 'node:http'
import { credentials, Client as GrpcClient } from '@grpc/grpc-js'
import { Events, GenAi, Longpole, Otel, SampleMetric } from '@longpole/model/conventions/attributes'
import { SIDECAR_METRICS } from '@longpole/model/conventions/metrics'
import type { Span } from '@longpole/model/span'
import { afterEach, describe, expect, test } from 'vitest'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'
import { type Sidecar, startSidecar } from './main.ts'
import type { SidecarSettings } from './settings.ts'
import { startTestEngine, startTestHub, type TestHub, testSettings } from './test-hub.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

async function setUp(engine: RequestListener, overrides: Partial<SidecarSettings> = {}) {
  const upstream = await startTestEngine(engine)
  const hub = await startTestHub()
  open.push(upstream, hub)
  const sidecar = await startSidecar(testSettings(upstream.url, hub.url, overrides), () => {})
  open.push(sidecar)
  const url = `http://127.0.0.1:${sidecar.ports.proxy}`
  const admin = (path: string) => fetch(`http://127.0.0.1:${sidecar.ports.admin}${path}`)
  return { upstream, hub, sidecar, url, admin }
}

const event = (content: string) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-7', model: 'served', choices: [{ index: 0, delta: { content } }] })}\n\n`
const USAGE = {
  id: 'chatcmpl-7',
  model: 'served',
  choices: [],
  usage: { prompt_tokens: 11, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } },
}
const FINISH = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'length' }] })}\n\n`

/** Streams tokens as they are asked for. */
function streaming(): { engine: RequestListener; started: Promise<void>; send(text: string): void; finish(): void } {
  let current: ServerResponse | undefined
  let onStarted: () => void = () => {}
  const started = new Promise<void>((resolve) => {
    onStarted = resolve
  })
  return {
    started,
    engine: (request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      current = response
      onStarted()
    },
    send: (text) => current?.write(text),
    finish: () => current?.end('data: [DONE]\n\n'),
  }
}

const answering: RequestListener = (request, response) => {
  request.resume()
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`${event('')}${event('a')}${event('b')}${FINISH}data: ${JSON.stringify(USAGE)}\n\ndata: [DONE]\n\n`)
}

function ask(url: string, body: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer planted-key', cookie: 'planted-cookie' },
    body: JSON.stringify({ model: 'asked', stream: true, max_tokens: 3, messages: [{ role: 'user', content: 'planted-prompt' }], ...body }),
    ...init,
  })
}

function isConserved({ counters }: Sidecar, hub: TestHub): boolean {
  return counters.spansInFlight() === 0 && counters.get('spansExported') === hub.spans().length
}

describe('a finished request', () => {
  test('becomes one SERVER span and its sidecar phase, with everything README.md promises and nothing of its content', async () => {
    const { url, hub, sidecar } = await setUp(answering)
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const headers = {
      'content-type': 'application/json',
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
      tracestate: 'ot=th:8',
      'x-longpole-tenant': 'acme',
    }
    await (await ask(url, {}, { headers })).text()
    await expect.poll(() => hub.spans().length, { timeout: 5_000 }).toBe(2)
    const [server, phase] = hub.spans() as [Span, Span]
    expect(server).toMatchObject({
      traceId: trace,
      parentSpanId: 'b7ad6b7169203331',
      traceState: 'ot=th:8',
      name: 'POST /v1/chat/completions',
      kind: 2,
      scopeName: '@longpole/sidecar',
      scopeVersion: '1.2.3',
    })
    expect(server.resource).toMatchObject({
      [Otel.serviceName]: 'longpole-sidecar',
      [Longpole.replica]: 'decode-3',
      [Longpole.cluster]: 'eu-1',
      [Longpole.pool]: 'decode',
      [Longpole.node]: 'host-7',
    })
    const { attributes } = server
    expect(attributes).toMatchObject({
      [Longpole.vantage]: 'sidecar',
      [Longpole.role]: 'attempt',
      [GenAi.operationName]: 'chat',
      [GenAi.requestModel]: 'asked',
      [GenAi.requestStream]: true,
      [GenAi.requestMaxTokens]: 3,
      [GenAi.responseModel]: 'served',
      [GenAi.responseId]: 'chatcmpl-7',
      [GenAi.responseFinishReasons]: ['length'],
      [GenAi.usageInputTokens]: 11,
      [GenAi.usageOutputTokens]: 3,
      [GenAi.usageCacheReadInputTokens]: 8,
      [Otel.httpStatus]: 200,
      [Longpole.outcome]: 'ok',
      [Longpole.outputMode]: 'text',
      [Longpole.chunks]: 2,
      [Longpole.tenant]: 'acme',
      [Longpole.reused]: false,
    })
    expect(attributes).not.toHaveProperty([GenAi.usageReasoningOutputTokens])
    expect(attributes).not.toHaveProperty([Longpole.errorClass])
    const order = [
      Longpole.receivedAt,
      Longpole.sentAt,
      Longpole.headersAt,
      Longpole.firstByteAt,
      Longpole.firstTokenAt,
      Longpole.firstTokenOutAt,
    ]
    const stamps = order.map((key) => attributes[key] as number)
    expect(stamps).toEqual([...stamps].sort((left, right) => left - right))
    expect(phase).toMatchObject({ parentSpanId: server.spanId, traceId: trace, name: 'sidecar', kind: 1 })
    expect(phase.attributes).toMatchObject({ [Longpole.phase]: 'sidecar', [Longpole.exactness]: 'measured', [Longpole.role]: 'phase' })
    const seconds = Number(phase.endUnixNano - phase.startUnixNano) / 1e9
    expect(seconds).toBeCloseTo(
      (attributes[Longpole.sidecarRequestSeconds] as number) + (attributes[Longpole.sidecarResponseSeconds] as number),
      6,
    )
    const all = Buffer.concat(hub.bodies.map(({ plain }) => plain)).toString('latin1')
    expect(all).not.toContain('planted')
    await expect.poll(() => isConserved(sidecar, hub)).toBe(true)
  })

  test('tells what went wrong', async () => {
    const cases: Record<string, { engine: RequestListener; expected: object }> = {
      'http-400': {
        engine: (_request, response) => response.writeHead(400).end('{}'),
        expected: { [Longpole.outcome]: 'rejected', [Longpole.errorClass]: 'http_400' },
      },
      'http-503': {
        engine: (_request, response) => response.writeHead(503).end('{}'),
        expected: { [Longpole.outcome]: 'error', [Longpole.errorClass]: 'http_503' },
      },
      'http-504': {
        engine: (_request, response) => response.writeHead(504).end('{}'),
        expected: { [Longpole.outcome]: 'timeout', [Longpole.errorClass]: 'http_504' },
      },
      'error-event': {
        engine: (_request, response) =>
          response.setHeader('content-type', 'text/event-stream').end(`${event('a')}data: {"error":{"message":"planted"}}\n\n`),
        expected: { [Longpole.outcome]: 'error', [Longpole.errorClass]: 'stream_error' },
      },
      'broken-stream': {
        engine: (_request, response) => response.setHeader('content-type', 'text/event-stream').write(event('a'), () => response.destroy()),
        expected: { [Longpole.outcome]: 'error', [Longpole.errorClass]: 'upstream_truncated' },
      },
      'no-answer': {
        engine: (request) => request.socket.destroy(),
        expected: { [Longpole.outcome]: 'error', [Longpole.errorClass]: 'upstream_reset', [Otel.httpStatus]: 502 },
      },
    }
    const { url, hub } = await setUp((request, response) => cases[String(request.headers['x-request-id'])]?.engine(request, response))
    for (const name of Object.keys(cases)) {
      await ask(url, {}, { headers: { 'x-request-id': name } })
        .then((response) => response.text())
        .catch(() => {})
    }
    const servers = () => hub.spans().filter(({ kind }) => kind === 2)
    await expect.poll(() => servers().length, { timeout: 5_000 }).toBe(Object.keys(cases).length)
    for (const { attributes } of servers()) expect(attributes).toMatchObject(cases[String(attributes[Longpole.requestId])]?.expected ?? {})
    expect(Buffer.concat(hub.bodies.map(({ plain }) => plain)).toString('latin1')).not.toContain('planted')
  })

  test('health checks and model lists are proxied and counted, not traced', async () => {
    const { url, sidecar } = await setUp((_request, response) => response.end('{}'))
    await (await fetch(`${url}/health`)).text()
    await (await fetch(`${url}/v1/models`)).text()
    await (await fetch(`${url}/tokenize`, { method: 'POST', body: '{"model":"m"}' })).text()
    await expect.poll(() => sidecar.counters.get('outcome:ok')).toBe(3)
    expect(sidecar.counters.get('spansReceived')).toBe(0)
  })
})

describe('the two planes', () => {
  test('the worker is killed in the middle of a stream: the stream does not notice, nothing is miscounted, the next spans arrive', async () => {
    const { engine, started, send, finish } = streaming()
    const { url, hub, sidecar, admin } = await setUp(engine)
    const response = await ask(url)
    await started
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    send(event('before'))
    expect((await reader?.read())?.value).toContain('before')
    sidecar.link.kill()
    await expect.poll(() => sidecar.link.isObserving()).toBe(false)
    expect(await (await admin('/metrics')).text()).toContain(`${SIDECAR_METRICS.sidecarBypass.name} 1`)
    expect((await admin('/healthz')).status).toBe(200)
    send(event('meanwhile'))
    expect((await reader?.read())?.value).toContain('meanwhile')
    finish()
    expect((await reader?.read())?.value).toContain('[DONE]')
    await expect.poll(() => sidecar.link.isObserving(), { timeout: 10_000 }).toBe(true)
    await expect.poll(() => hub.spans().length, { timeout: 5_000 }).toBe(2)
    expect(hub.spans()[0]?.attributes[Longpole.chunks]).toBe(2)
    await expect.poll(() => isConserved(sidecar, hub)).toBe(true)
    expect(await (await admin('/metrics')).text()).toContain(`${SIDECAR_METRICS.sidecarBypass.name} 0`)
  })

  test('spans that die with the worker are counted as lost; received = exported + dropped + in flight', async () => {
    const { url, hub, sidecar } = await setUp(answering)
    hub.status = 503
    for (let index = 0; index < 20; index++) await (await ask(url)).text()
    await expect.poll(() => sidecar.counters.get('spansReceived')).toBe(40)
    sidecar.link.kill()
    await expect.poll(() => sidecar.counters.get('spansDropped:worker_lost')).toBe(40)
    expect(sidecar.counters.spansInFlight()).toBe(0)
    hub.status = 200
    await expect.poll(() => sidecar.link.isObserving(), { timeout: 10_000 }).toBe(true)
    await (await ask(url)).text()
    await expect.poll(() => hub.spans().length, { timeout: 5_000 }).toBe(2)
    expect(sidecar.counters.get('spansReceived')).toBe(42)
    await expect.poll(() => isConserved(sidecar, hub)).toBe(true)
  })

  test('the hub is away: requests pass, spans wait, and arrive once it is back', async () => {
    const upstream = await startTestEngine(answering)
    open.push(upstream)
    const gone = await startTestHub()
    await gone.close()
    const sidecar = await startSidecar(testSettings(upstream.url, gone.url), () => {})
    open.push(sidecar)
    for (let index = 0; index < 10; index++) await (await ask(`http://127.0.0.1:${sidecar.ports.proxy}`)).text()
    await expect.poll(() => sidecar.counters.get('spansRejected:unreachable'), { timeout: 5_000 }).toBeGreaterThan(0)
    expect(sidecar.counters.spansInFlight()).toBe(20)
    const hub = await startTestHub(Number(new URL(gone.url).port))
    open.push(hub)
    await expect.poll(() => hub.spans().length, { timeout: 10_000 }).toBe(20)
    await expect.poll(() => isConserved(sidecar, hub)).toBe(true)
  })

  test('requests in flight are reported with age and phase', async () => {
    const { engine, started } = streaming()
    const { url, hub } = await setUp(engine)
    const controller = new AbortController()
    const response = await ask(url, {}, { signal: controller.signal })
    await started
    await expect.poll(() => hub.logs().length, { timeout: 8_000 }).toBeGreaterThan(0)
    const record = hub.logs()[0]
    expect(record).toMatchObject({ eventName: Events.requestOpen, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(record?.attributes).toMatchObject({
      [Events.openPhase]: 'engine.queue',
      [GenAi.requestModel]: 'asked',
      [Longpole.vantage]: 'sidecar',
    })
    expect(record?.attributes[Events.openAge]).toBeGreaterThan(1.9)
    expect(record?.attributes[Events.openStart]).toMatch(/^\d{19}$/)
    expect(record?.resource[Longpole.replica]).toBe('decode-3')
    controller.abort()
    await response.text().catch(() => {})
    await expect.poll(() => hub.spans()[0]?.attributes[Longpole.outcome], { timeout: 5_000 }).toBe('aborted')
    expect(hub.spans()[0]?.spanId).toBe(record?.spanId)
  })

  test("the engine's pages become samples; one that does not answer is down", async () => {
    const page = 'vllm:num_requests_running{model_name="m",engine="0"} 4\nvllm:num_requests_waiting{model_name="m",engine="0"} 2\n'
    let isUp = true
    const engine: RequestListener = (_request, response) => (isUp ? response.end(page) : response.writeHead(500).end())
    const upstream = await startTestEngine(engine)
    const hub = await startTestHub()
    open.push(upstream, hub)
    const scrapeUrl = `${upstream.url}/metrics`
    open.push(await startSidecar(testSettings(upstream.url, hub.url, { scrapeUrl, scrapeIntervalMs: 50 }), () => {}))
    const value = (field: string) =>
      hub
        .metrics()
        .flatMap(({ data }) => (data.type === 'gauge' ? data.points : []))
        .filter(({ attributes }) => attributes[SampleMetric.field] === field)
        .at(-1)
    await expect.poll(() => value('running')?.value, { timeout: 5_000 }).toBe(4)
    expect(value('up')).toMatchObject({
      value: 1,
      attributes: { [Longpole.replica]: 'decode-3', [Longpole.model]: 'm', [Longpole.cluster]: 'eu-1' },
    })
    isUp = false
    await expect.poll(() => value('up')?.value, { timeout: 5_000 }).toBe(0)
  })
})

describe("the engine's own spans", () => {
  const span: Span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: 'llm_request',
    kind: 2,
    startUnixNano: 1n,
    endUnixNano: 2n,
    attributes: {},
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    resource: { a: 'b' },
    scopeName: 'vllm',
    scopeVersion: '',
  }
  const bytes = Buffer.from(
    encodeTraces([span, { ...span, spanId: 'c7ad6b7169203331' }, { ...span, resource: {}, spanId: 'd7ad6b7169203331' }]),
  )
  const anyPort = { host: '127.0.0.1', port: 0 }

  test('pass over HTTP as the bytes they came as, and are counted', async () => {
    const { hub, sidecar } = await setUp(answering, { otlpHttp: anyPort })
    const target = `http://127.0.0.1:${sidecar.ports.otlpHttpPort}/v1/traces`
    const send = (body: Buffer | string, headers: Record<string, string>) =>
      fetch(target, { method: 'POST', body: body as string, headers })
    const { gzipSync } = await import('node:zlib')
    expect((await send(bytes, { 'content-type': 'application/x-protobuf' })).status).toBe(200)
    expect((await send(gzipSync(bytes), { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' })).status).toBe(200)
    const json = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x"},{}]}]}]}'
    expect((await send(json, { 'content-type': 'application/json' })).status).toBe(200)
    await expect.poll(() => hub.bodies.length).toBe(3)
    expect(hub.bodies.map(({ plain }) => plain.toString('latin1')).sort()).toEqual(
      [bytes, bytes, Buffer.from(json)].map((body) => body.toString('latin1')).sort(),
    )
    expect(sidecar.counters.get('spansReceived')).toBe(8)
    await expect.poll(() => sidecar.counters.get('spansExported')).toBe(8)
  })

  test('bodies that cannot be read are refused and go nowhere', async () => {
    const { hub, sidecar } = await setUp(answering, { otlpHttp: anyPort })
    const refused: [string, Buffer | string, Record<string, string>, number][] = [
      ['truncated', bytes.subarray(0, 40), { 'content-type': 'application/x-protobuf' }, 400],
      ['not gzip', bytes, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' }, 400],
      ['not JSON', '{', { 'content-type': 'application/json' }, 400],
      ['of a foreign type', 'x', { 'content-type': 'text/plain' }, 415],
      ['packed in a foreign way', 'x', { 'content-type': 'application/json', 'content-encoding': 'br' }, 415],
    ]
    const target = `http://127.0.0.1:${sidecar.ports.otlpHttpPort}/v1/traces`
    for (const [name, body, headers, status] of refused) {
      expect([name, (await fetch(target, { method: 'POST', body: body as string, headers })).status]).toEqual([name, status])
    }
    expect(sidecar.counters.get('spansReceived')).toBe(0)
    expect(hub.bodies).toEqual([])
  })

  test('pass over gRPC too', async () => {
    const { hub, sidecar } = await setUp(answering, { otlpGrpc: anyPort })
    const client = new GrpcClient(`127.0.0.1:${sidecar.ports.otlpGrpcPort}`, credentials.createInsecure())
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
    const call = (body: Buffer) =>
      new Promise<string>((resolve) => {
        client.makeUnaryRequest(
          path,
          (message: Buffer) => message,
          (message: Buffer) => message,
          body,
          (error) => resolve(error?.details ?? 'ok'),
        )
      })
    expect(await call(bytes)).toBe('ok')
    expect(await call(bytes.subarray(0, 40))).toBe('a length goes beyond its message')
    client.close()
    await expect.poll(() => hub.bodies.map(({ plain }) => plain.equals(bytes))).toEqual([true])
    expect(sidecar.counters.get('spansReceived')).toBe(3)
  })
})

describe('start and stop', () => {
  test.each(['listen', 'admin', 'otlpHttp', 'otlpGrpc'] as const)('a taken port is an error that names it: %s', async (key) => {
    const taken = await startTestHub()
    open.push(taken)
    const port = Number(new URL(taken.url).port)
    const settings = testSettings('http://127.0.0.1:1', taken.url, { [key]: { host: '127.0.0.1', port } })
    const flag = { listen: '--listen', admin: '--admin', otlpHttp: '--otlp-http', otlpGrpc: '--otlp-grpc' }[key]
    await expect(startSidecar(settings, () => {})).rejects.toThrow(`${flag} 127.0.0.1:${port}: the port is taken.`)
  })

  test('draining lets the stream finish and sends its spans', async () => {
    const { engine, started, send, finish } = streaming()
    const { url, hub, sidecar, admin } = await setUp(engine)
    const response = await ask(url)
    await started
    send(event('a'))
    const drained = sidecar.drain()
    await expect.poll(async () => (await admin('/readyz')).status).toBe(503)
    await expect(ask(url)).rejects.toThrow()
    finish()
    expect(await response.text()).toContain('[DONE]')
    expect(await drained).toBe(true)
    expect(hub.spans()).toHaveLength(2)
  })

  test('draining ends at its limit', async () => {
    const { engine, started } = streaming()
    const { url, sidecar } = await setUp(engine, { drainMs: 50 })
    const response = await ask(url)
    await started
    expect(await sidecar.drain()).toBe(false)
    await expect(response.text()).rejects.toThrow()
  })
})
