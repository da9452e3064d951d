import { type AddressInfo, createServer } from 'node:net'
import { createGzip } from 'node:zlib'
import { context, createContextKey, DiagLogLevel, diag } from '@opentelemetry/api'
import fc from 'fast-check'
import { Agent, fetch as undiciFetch } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { formatOverhead, overhead } from '../overhead-report.ts'
import { selfSignedCertificate } from '../testing/certificate.ts'
import { collectSpans, durationOf } from '../testing/collect-spans.ts'
import {
  type Answer,
  answerEvents,
  chunk,
  DONE,
  type LlmServer,
  sendEvents,
  sendJson,
  settle,
  startEvents,
  startLlmServer,
} from '../testing/llm-server.ts'
import { instrumentFetch } from './instrument-fetch.ts'

const spans = collectSpans()
const servers: LlmServer[] = []
const options = { tracerProvider: spans.provider }
const traced = instrumentFetch(fetch, options)

afterEach(async () => {
  spans.reset()
  for (const server of servers.splice(0)) await server.close()
})

async function start(answer: Answer, ...more: [tls?: { key: string; cert: string }, host?: string]): Promise<LlmServer> {
  const server = await startLlmServer(answer, ...more)
  servers.push(server)
  return server
}

const body = JSON.stringify({ model: 'tiny', stream: true, messages: [{ role: 'user', content: 'planted-prompt' }] })
const post = { method: 'POST', body, headers: { 'content-type': 'application/json' } }

async function only() {
  const [request] = await spans.requests()
  const attempt = spans.childrenOf(request!).find((span) => span.attributes['longpole.role'] === 'attempt')!
  const phase = (name: string) => spans.childrenOf(attempt).find((span) => span.name === name)
  return { request: request!, attempt, phase, attributes: request!.attributes }
}

describe('connections', () => {
  test('by name over TLS have a DNS, a TCP and a TLS part that together are not longer than the phase', async () => {
    const server = await start((response) => sendEvents(response, answerEvents()), selfSignedCertificate(), 'localhost')
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
    const viaUndici = instrumentFetch(undiciFetch as unknown as typeof fetch, options)
    const init = { ...post, dispatcher } as RequestInit
    await (await viaUndici(`${server.url}/chat/completions`, init)).text()
    const { phase, attempt, attributes } = await only()
    const connect = phase('client.connect')!
    const parts = ['dns', 'tcp', 'tls'].map((part) => connect.attributes[`longpole.connect.${part}`] as number)
    for (const part of parts) expect(part).toBeGreaterThan(0)
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(durationOf(connect) + 1e-6)
    expect(attempt.attributes['longpole.connection.reused']).toBe(false)
    expect(attributes['longpole.seen']).toBe('socket')
    await dispatcher.close()
  })

  test('to an address have no DNS part, and plain ones no TLS part', async () => {
    const server = await start((response) => sendEvents(response, answerEvents()))
    await (await traced(`${server.url}/chat/completions`, post)).text()
    const connect = (await only()).phase('client.connect')!
    expect(Object.keys(connect.attributes).filter((name) => name.startsWith('longpole.connect.'))).toEqual(['longpole.connect.tcp'])
    expect(connect.attributes).toMatchObject({
      'longpole.phase': 'client.connect',
      'longpole.exactness': 'measured',
      'longpole.source': 'undici connection',
    })
  })

  test('that a request had to wait for, because the pool is full, count until the one before is over', async () => {
    const server = await start((response, call) => {
      const send = () => sendEvents(response, answerEvents())
      if (call === 1) setTimeout(send, 40)
      else send()
    })
    const dispatcher = new Agent({ connections: 1 })
    const viaUndici = instrumentFetch(undiciFetch as unknown as typeof fetch, options)
    const init = { ...post, dispatcher } as RequestInit
    const first = viaUndici(`${server.url}/chat/completions`, init)
    const second = viaUndici(`${server.url}/chat/completions`, init)
    await Promise.all([first, second].map(async (answer) => (await answer).text()))
    await spans.requests(2)
    const connects = spans.all().filter((span) => span.name === 'client.connect')
    const uploads = spans.all().filter((span) => span.name === 'client.upload')
    expect(durationOf(connects[1]!)).toBeGreaterThan(0.03)
    expect(durationOf(uploads[1]!)).toBeLessThan(durationOf(connects[1]!))
    await dispatcher.close()
  })

  test('that fail to resolve or to verify are errors of their class', async () => {
    const server = await start(() => {}, selfSignedCertificate(), 'localhost')
    await expect(traced(`${server.url}/chat/completions`, post)).rejects.toThrow()
    await expect(traced('http://name.invalid/v1/chat/completions', post)).rejects.toThrow()
    const ended = await spans.requests(2)
    expect(ended.map((span) => span.attributes['longpole.error_class'])).toEqual(['tls', 'dns'])
    // All the time of a request that never got a connection is the connection's.
    const attempts = spans.all().filter((span) => span.attributes['longpole.role'] === 'attempt')
    for (const attempt of attempts) expect(durationOf(spans.childrenOf(attempt)[0]!)).toBeCloseTo(durationOf(attempt), 6)
  })

  test('of other requests on the way, such as one for a token, are not mistaken for it', async () => {
    const server = await start((response) => sendEvents(response, answerEvents()))
    const token = await start((response) => sendJson(response, 200, { access_token: 'planted-token' }))
    const withToken = instrumentFetch(
      (async (...args: Parameters<typeof fetch>) => {
        await (await fetch(`${token.url}/token`, { method: 'POST', body: '{}' })).text()
        return fetch(...args)
      }) as typeof fetch,
      options,
    )
    await (await withToken(`${server.url}/chat/completions`, post)).text()
    const { attributes, attempt } = await only()
    expect(attributes).toMatchObject({ 'longpole.outcome': 'ok', 'longpole.chunks': 3, 'longpole.seen': 'socket' })
    expect(attempt.attributes['longpole.response.bytes']).toBe(answerEvents().join('').length)
  })

  test('leave the prototype of sockets as it was', async () => {
    const { Socket } = await import('node:net')
    const before = Socket.prototype.connect
    const server = await start((response) => sendEvents(response, answerEvents()))
    await (await traced(`${server.url}/chat/completions`, post)).text()
    expect(Socket.prototype.connect).toBe(before)
  })
})

describe('bodies', () => {
  test('that are compressed are seen behind the decoder, unchanged', async () => {
    const server = await start((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      gzip.end(answerEvents().join(''))
    })
    const response = await traced(`${server.url}/chat/completions`, post)
    expect(response.url).toBe(`${server.url}/chat/completions`)
    expect(await response.text()).toBe(answerEvents().join(''))
    const { attributes, attempt } = await only()
    expect(attributes).toMatchObject({
      'longpole.seen': 'body',
      'longpole.chunks': 3,
      'longpole.outcome': 'ok',
      'gen_ai.usage.output_tokens': 3,
    })
    expect(attempt.attributes['longpole.response.bytes']).toBe(answerEvents().join('').length)
  })

  test('of a fetch that is not undici are tapped, stamped when they come and not when they are read', async () => {
    const pieces = answerEvents().map((text) => new TextEncoder().encode(text))
    const foreign = instrumentFetch(
      (async () => {
        const stream = new ReadableStream({
          start: (controller) => {
            for (const piece of pieces) controller.enqueue(piece)
            controller.close()
          },
        })
        return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
      }) as typeof fetch,
      options,
    )
    const startedMs = performance.now()
    const response = await foreign('http://127.0.0.1:1/v1/chat/completions', post)
    await settle()
    const readMs = performance.now()
    expect(await response.text()).toBe(answerEvents().join(''))
    const { attributes, phase } = await only()
    expect(attributes).toMatchObject({ 'longpole.seen': 'body', 'longpole.chunks': 3, 'longpole.outcome': 'ok' })
    expect(attributes['longpole.at.last_token'] as number).toBeLessThan((readMs - startedMs) / 1000)
    expect(phase('client.connect')).toBeUndefined()
  })

  test('that are tapped end as the consumer or the source ends them', async () => {
    const foreign = (failure: Error | null) =>
      instrumentFetch(
        (async () => {
          const stream = new ReadableStream({
            start: (controller) => {
              controller.enqueue(new TextEncoder().encode(chunk({ content: 'a' })))
              if (failure !== null) setImmediate(() => controller.error(failure))
            },
          })
          return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
        }) as typeof fetch,
        options,
      )
    const failing = await foreign(new Error('planted-failure'))('http://127.0.0.1:1/v1/chat/completions', post)
    await expect(failing.text()).rejects.toThrow('planted-failure')
    const left = await foreign(null)('http://127.0.0.1:1/v1/chat/completions', post)
    await left.body?.cancel()
    const ended = await spans.requests(2)
    expect(ended.map((span) => span.attributes['longpole.error_class'])).toEqual(['truncated', 'caller_abort'])
  })

  test('larger than the read-ahead come through whole, for a reader that is slow', async () => {
    const large = 'x'.repeat(64 * 1024)
    const foreign = instrumentFetch(
      (async () => {
        let left = 40
        const pull = (controller: ReadableStreamDefaultController) =>
          left-- > 0 ? controller.enqueue(new TextEncoder().encode(large)) : controller.close()
        return new Response(new ReadableStream({ pull }), { headers: { 'content-type': 'text/plain' } })
      }) as typeof fetch,
      options,
    )
    const response = await foreign('http://127.0.0.1:1/v1/completions', post)
    let bytes = 0
    for await (const piece of response.body!) {
      bytes += (piece as Uint8Array).length
      await settle(2)
    }
    expect(bytes).toBe(40 * 64 * 1024)
    expect((await only()).attempt.attributes['longpole.response.bytes']).toBe(bytes)
  })

  test('that a server sends as whole JSON may be cut short', async () => {
    const server = await start((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"choices":[')
      setImmediate(() => response.socket?.destroy())
    })
    await expect(traced(`${server.url}/chat/completions`, post).then((response) => response.text())).rejects.toThrow()
    expect((await only()).attributes['longpole.error_class']).toBe('truncated')
  })
})

describe('requests', () => {
  test('of any form reach the server unchanged', async () => {
    const server = await start((response) => sendJson(response, 200, { object: 'list', usage: { prompt_tokens: 3, total_tokens: 3 } }))
    const url = `${server.url}/embeddings`
    const text = JSON.stringify({ model: 'e', input: 'planted' })
    await traced(new URL(url), { method: 'POST', body: text })
    await traced(new Request(url, { method: 'POST', body: text, headers: { 'x-mine': '1' } }))
    await traced(url, { method: 'post', body: new TextEncoder().encode(text), headers: [['x-mine', '1']] })
    await traced(new Request(url, { method: 'POST', body: 'no' }), { body: text, headers: { 'x-mine': '1' } })
    const ended = await spans.requests(4)
    expect(server.seen.map((request) => request.body)).toEqual([text, text, text, text])
    expect(server.seen.slice(1).map((request) => request.headers['x-mine'])).toEqual(['1', '1', '1'])
    expect(ended.map((span) => span.name)).toEqual(['embeddings e', 'embeddings', 'embeddings e', 'embeddings e'])
    expect(ended.every((span) => span.attributes['gen_ai.usage.input_tokens'] === 3)).toBe(true)
  })

  test('of other kinds pass without a span or a header', async () => {
    const server = await start((response) => sendJson(response, 200, {}))
    await (await traced(`${server.url}/models`)).text()
    await (await traced(`${server.url}/files`, post)).text()
    await (await traced(`${server.url}/chat/completions`)).text()
    expect(server.seen.every(({ headers }) => headers.traceparent === undefined && headers['x-request-id'] === undefined)).toBe(true)
    expect(spans.all()).toEqual([])
  })

  test('with a large body are searched, not fooled by a prompt that quotes the keys', async () => {
    const server = await start((response) => sendEvents(response, answerEvents()))
    const content = `{"model":"no","stream":false,"max_tokens":1} ${'x'.repeat(200_000)}`
    const text = JSON.stringify({ messages: [{ role: 'user', content }], model: 'yes', stream: true, max_tokens: 77 })
    await (await traced(`${server.url}/chat/completions`, { ...post, body: text })).text()
    const { attributes, attempt } = await only()
    expect(attributes).toMatchObject({ 'gen_ai.request.model': 'yes', 'gen_ai.request.stream': true, 'gen_ai.request.max_tokens': 77 })
    expect(attempt.attributes['longpole.request.bytes']).toBe(text.length)
  })

  test('that the server takes its time to read have that time in client.upload', async () => {
    let waitedMs = 0
    const server = createServer((socket) => {
      socket.pause()
      const pausedMs = performance.now()
      setTimeout(() => {
        waitedMs = performance.now() - pausedMs
        let left = size
        socket.on('data', (bytes: Buffer) => {
          left -= bytes.length
          if (left < 0) socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
        })
        socket.resume()
      }, 80)
    })
    const size = 32 * 1024 * 1024
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await (await traced(`http://127.0.0.1:${port}/v1/completions`, { method: 'POST', body: 'x'.repeat(size) })).text()
    const { phase } = await only()
    expect(durationOf(phase('client.upload')!) * 1000).toBeGreaterThan(waitedMs * 0.9)
    server.close()
  })

  test('that are redirected are one attempt, timed on the last hop', async () => {
    const server = await start((response, call) => {
      if (call > 1) return sendEvents(response, answerEvents())
      response.writeHead(307, { location: '/v2/chat/completions' })
      response.end()
    })
    await (await traced(`${server.url}/chat/completions`, post)).text()
    const { attributes, request } = await only()
    expect(attributes).toMatchObject({ 'http.response.status_code': 200, 'longpole.chunks': 3, 'longpole.attempts': 1 })
    expect(spans.childrenOf(request)).toHaveLength(1)
    const unfollowed = await start((response) => void response.writeHead(302, { location: '/x' }).end())
    await traced(`${unfollowed.url}/chat/completions`, { ...post, redirect: 'manual' })
    expect((await spans.requests(2))[1]!.attributes['http.response.status_code']).toBe(302)
  })

  test('through two wrapped fetches are traced once', async () => {
    const server = await start((response) => sendEvents(response, answerEvents()))
    const twice = instrumentFetch(((...args: Parameters<typeof fetch>) => traced(...args)) as typeof fetch, options)
    await (await twice(`${server.url}/chat/completions`, post)).text()
    await spans.requests()
    expect(spans.all().filter((span) => span.attributes['longpole.role'] === 'request')).toHaveLength(1)
    expect(instrumentFetch(traced)).toBe(traced)
  })

  test("keep the user's dimensions within bounds", async () => {
    const server = await start((response) => sendEvents(response, answerEvents()))
    const dimensions = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`d${index}`, 'v'.repeat(500)]))
    const bounded = instrumentFetch(fetch, { ...options, dimensions, provider: 'vllm', tenantClass: 'gold', synthetic: true })
    await (await bounded(`${server.url}/chat/completions`, post)).text()
    const { attributes } = await only()
    expect(attributes).toMatchObject({ 'gen_ai.provider.name': 'vllm', 'longpole.tenant_class': 'gold', 'longpole.synthetic': true })
    const own = Object.keys(attributes).filter((name) => name.startsWith('longpole.dimension.'))
    expect(own).toHaveLength(16)
    expect(attributes[own[0]!]).toHaveLength(128)
    expect(() => instrumentFetch(fetch, { provider: '' })).toThrow('option provider: expected a non-empty string')
  })
})

describe('first token', () => {
  test('is stamped when its event is complete, not when its bytes begin, and before the consumer sees it', async () => {
    const event = chunk({ content: 'a' })
    const sent: number[] = []
    const server = await start(async (response) => {
      startEvents(response)
      response.write(chunk({ role: 'assistant' }) + event.slice(0, 30))
      await new Promise((resolve) => setTimeout(resolve, 30))
      sent.push(performance.now())
      response.write(event.slice(30))
      response.write(chunk({}, {}, 'stop') + DONE)
      response.end()
    })
    const startedMs = performance.now()
    await (await traced(`${server.url}/chat/completions`, post)).text()
    const readMs = performance.now()
    const { attributes } = await only()
    const firstToken = attributes['longpole.at.first_token'] as number
    expect(firstToken * 1000).toBeGreaterThanOrEqual(sent[0]! - startedMs - 1)
    expect(firstToken * 1000).toBeLessThanOrEqual(readMs - startedMs)
    expect(attributes['gen_ai.response.time_to_first_chunk'] as number).toBeLessThan(firstToken)
  })
})

describe('the host', () => {
  test('gets exactly what the wrapped fetch gives, whatever it is called with', async () => {
    const calls: unknown[][] = []
    const plain = (async (...args: unknown[]) => {
      calls.push(args)
      return new Response('x')
    }) as unknown as typeof fetch
    const wrapped = instrumentFetch(plain, options)
    const hostile = fc.oneof(
      fc.anything(),
      fc.constant('http://127.0.0.1:1/v1/chat/completions'),
      fc.constant({
        get url() {
          throw new Error('getter')
        },
      }),
      fc.constant(
        new Proxy(
          {},
          {
            get: () => {
              throw new Error('proxy')
            },
          },
        ),
      ),
    )
    const init = fc.oneof(
      fc.anything(),
      fc.record({ method: fc.constantFrom('POST', 'GET', 5), headers: fc.anything(), body: fc.anything(), signal: fc.anything() }),
    )
    await fc.assert(
      fc.asyncProperty(hostile, init, async (input, second) => {
        calls.length = 0
        const response = await wrapped(input as string, second as RequestInit)
        expect(await response.text()).toBe('x')
        expect(calls).toHaveLength(1)
        expect(calls[0]![0]).toBe(input)
      }),
      { numRuns: 60 },
    )
  })

  test('gets the error of the wrapped fetch, thrown or rejected', async () => {
    const rejecting = instrumentFetch((() => Promise.reject(new RangeError('mine'))) as typeof fetch, options)
    await expect(rejecting('http://127.0.0.1:1/v1/completions', post)).rejects.toThrow(RangeError)
    const throwing = instrumentFetch(
      (() => {
        throw new RangeError('mine')
      }) as typeof fetch,
      options,
    )
    expect(() => throwing('http://127.0.0.1:1/v1/completions', post)).toThrow(RangeError)
    expect((await spans.requests(2)).map((span) => span.attributes['longpole.error_class'])).toEqual(['other', 'other'])
  })

  test('is not troubled by a tracer that throws', async () => {
    const told: string[] = []
    diag.setLogger({ error: (text) => void told.push(text), warn() {}, info() {}, debug() {}, verbose() {} }, DiagLogLevel.ERROR)
    const tracer = {
      startSpan: () => {
        throw new Error('planted-tracer')
      },
      startActiveSpan: () => undefined as never,
    }
    const wrapped = instrumentFetch(fetch, { tracerProvider: { getTracer: () => tracer } })
    const server = await start((response) => sendEvents(response, answerEvents()))
    for (let call = 0; call < 3; call++) expect(await (await wrapped(`${server.url}/chat/completions`, post)).text()).toContain('one')
    expect(told.filter((text) => text.includes('planted'))).toEqual([])
    expect(overhead().failures).toBeGreaterThanOrEqual(3)
    diag.disable()
  })

  test('has its own HTTP instrumentation kept still below the attempt, and nowhere else', async () => {
    const key = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
    const suppressed: unknown[] = []
    const wrapped = instrumentFetch(
      (async () => {
        suppressed.push(context.active().getValue(key))
        return new Response('{}', { headers: { 'content-type': 'application/json' } })
      }) as typeof fetch,
      options,
    )
    await wrapped('http://127.0.0.1:1/v1/completions', post).then(() => suppressed.push(context.active().getValue(key)))
    expect(suppressed).toEqual([true, undefined])
  })

  test('can ask what the SDK costs', async () => {
    const server = await start((response) => sendEvents(response, answerEvents()))
    const before = overhead()
    await (await traced(`${server.url}/chat/completions`, post)).text()
    await spans.requests()
    const after = overhead()
    expect(after.requests - before.requests).toBe(1)
    expect(after.reads).toBeGreaterThan(before.reads)
    expect(after.firstRequestMicroseconds).toBeGreaterThan(0)
    expect(formatOverhead(after)).toMatch(/^@longpole\/sdk cost: \d+ requests \(first \d+ µs/)
  })

  test('without a tracer provider still sends a request id and no broken traceparent', async () => {
    const server = await start((response) => sendEvents(response, answerEvents()))
    const noop = instrumentFetch(fetch)
    expect(await (await noop(`${server.url}/chat/completions`, post)).text()).toContain('one')
    expect(server.seen[0]!.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(server.seen[0]!.headers.traceparent).toBeUndefined()
  })
})
