import { context, trace } from '@opentelemetry/api'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { instrumentFetch } from '../fetch/instrument-fetch.ts'
import { collectSpans, durationOf, seconds } from '../testing/collect-spans.ts'
import {
  type Answer,
  answerEvents,
  chunk,
  DONE,
  type LlmServer,
  sendEvents,
  sendJson,
  startEvents,
  startLlmServer,
} from '../testing/llm-server.ts'
import { instrumentOpenAI } from './instrument-openai.ts'

const spans = collectSpans()
const servers: LlmServer[] = []

afterEach(async () => {
  spans.reset()
  for (const server of servers.splice(0)) await server.close()
})

async function start(answer: Answer, options: Partial<ConstructorParameters<typeof OpenAI>[0]> = {}) {
  const server = await startLlmServer(answer)
  servers.push(server)
  const client = instrumentOpenAI(new OpenAI({ baseURL: server.url, apiKey: 'planted-key', ...options }), {
    tracerProvider: spans.provider,
  })
  return { server, client }
}

const PROMPT = 'planted-prompt'
const ask = { model: 'tiny', messages: [{ role: 'user' as const, content: PROMPT }] }

async function read(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string> {
  let text = ''
  for await (const part of stream) text += part.choices[0]?.delta.content ?? ''
  return text
}

async function onlyRequest() {
  const [request] = await spans.requests()
  if (request === undefined) throw new Error('no request span')
  const below = spans.childrenOf(request)
  const attempts = below.filter((span) => span.attributes['longpole.role'] === 'attempt')
  return { request, below, attempts, attributes: request.attributes }
}

describe('a stream', () => {
  test('becomes one request span, one attempt and its phases, with usage, stamps and gaps', async () => {
    const { client, server } = await start((response) => sendEvents(response, answerEvents()))
    const stream = await client.chat.completions.create({ ...ask, stream: true, max_completion_tokens: 9 })
    expect(await read(stream)).toBe('one two three')

    const { request, attempts, attributes } = await onlyRequest()
    expect(request.name).toBe('chat tiny')
    expect(request.kind).toBe(2)
    expect(attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'tiny',
      'gen_ai.request.stream': true,
      'gen_ai.request.max_tokens': 9,
      'gen_ai.response.model': 'tiny-1',
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 3,
      'gen_ai.usage.cache_read.input_tokens': 8,
      'gen_ai.usage.reasoning.output_tokens': 1,
      'http.response.status_code': 200,
      'longpole.seen': 'socket',
      'longpole.sdk': 'openai',
      'longpole.sdk_version': '7.57.0',
      'longpole.attempts': 1,
      'longpole.outcome': 'ok',
      'longpole.output_mode': 'reasoning',
      'longpole.chunks': 3,
      'server.address': '127.0.0.1',
      'server.port': server.port,
    })
    const at = (name: string) => attributes[`longpole.at.${name}`] as number
    const order = [at('headers'), at('first_byte'), at('first_token'), at('last_token'), durationOf(request)]
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(at('first_answer')).toBe(at('first_token'))
    expect(attributes['longpole.at.first_reasoning']).toBeUndefined()
    const counts = (attributes['longpole.gaps.histogram'] as string[]).map((entry) => Number(entry.split(':')[1]))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2)

    expect(attempts).toHaveLength(1)
    const attempt = attempts[0]!
    expect(attempt.name).toBe('POST /v1/chat/completions')
    const [connect, upload, wait] = spans.childrenOf(attempt)
    // Nothing is left out between the call and the first token.
    expect(connect!.startTime).toEqual(request.startTime)
    expect(upload!.startTime).toEqual(connect!.endTime)
    expect(wait!.startTime).toEqual(upload!.endTime)
    const phases = spans.childrenOf(attempt).map((span) => span.name)
    expect(phases).toEqual(['client.connect', 'client.upload', 'first_token.wait'])
    expect(server.seen[0]!.headers.traceparent).toBe(`00-${attempt.spanContext().traceId}-${attempt.spanContext().spanId}-01`)
    expect(server.seen[0]!.headers['x-request-id']).toBe(attributes['longpole.request_id'])
  })

  test('says which of two concurrent requests opened which connection, and that the next one reuses it', async () => {
    const { client } = await start((response) => sendEvents(response, answerEvents()))
    await Promise.all([1, 2, 3].map(async () => read(await client.chat.completions.create({ ...ask, stream: true }))))
    await spans.requests(3)
    const fresh = spans.all().filter((span) => span.attributes['longpole.role'] === 'attempt')
    expect(fresh.map((span) => span.attributes['longpole.connection.reused'])).toEqual([false, false, false])
    await read(await client.chat.completions.create({ ...ask, stream: true }))
    await spans.requests(4)
    const last = spans.all().filter((span) => span.attributes['longpole.role'] === 'attempt')[3]!
    expect(last.attributes['longpole.connection.reused']).toBe(true)
    expect(durationOf(spans.childrenOf(last).find((span) => span.name === 'client.connect')!)).toBe(0)
  })

  test('that is cut off is an error of class truncated', async () => {
    const { client } = await start((response) => {
      startEvents(response)
      response.write(chunk({ content: 'half' }))
      setImmediate(() => response.socket?.destroy())
    })
    await expect(read(await client.chat.completions.create({ ...ask, stream: true }))).rejects.toThrow()
    const { attributes } = await onlyRequest()
    expect(attributes).toMatchObject({ 'longpole.outcome': 'error', 'longpole.error_class': 'truncated', 'longpole.chunks': 1 })
  })

  test('that ends politely but without its end mark is truncated too', async () => {
    const { client } = await start((response) => sendEvents(response, [chunk({ content: 'half' })]))
    await read(await client.chat.completions.create({ ...ask, stream: true }))
    expect((await onlyRequest()).attributes).toMatchObject({ 'longpole.outcome': 'error', 'longpole.error_class': 'truncated' })
  })

  test('with an error event in it is an error of class stream_error', async () => {
    const events = [chunk({ content: 'a' }), `data: ${JSON.stringify({ error: { message: PROMPT, code: 500 } })}\n\n`, DONE]
    const { client } = await start((response) => sendEvents(response, events))
    await expect(read(await client.chat.completions.create({ ...ask, stream: true }))).rejects.toThrow()
    expect((await onlyRequest()).attributes).toMatchObject({ 'longpole.outcome': 'error', 'longpole.error_class': 'stream_error' })
  })

  test('that the consumer leaves is aborted; one it leaves after the finish reason is ok', async () => {
    const { client } = await start((response, call) => {
      startEvents(response)
      response.write(chunk({ content: 'a' }))
      if (call === 2) response.write(chunk({}, {}, 'stop'))
    })
    for await (const part of await client.chat.completions.create({ ...ask, stream: true })) if (part.choices[0]?.delta.content) break
    expect((await spans.requests(1))[0]!.attributes).toMatchObject({
      'longpole.outcome': 'aborted',
      'longpole.error_class': 'caller_abort',
    })
    for await (const part of await client.chat.completions.create({ ...ask, stream: true })) if (part.choices[0]?.finish_reason) break
    expect((await spans.requests(2))[1]!.attributes['longpole.outcome']).toBe('ok')
  })

  test.each([
    [
      'a tool call',
      [chunk({ role: 'assistant' }), chunk({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '' } }] })],
      'tool',
    ],
    ['text', [chunk({ role: 'assistant' }), chunk({ content: 'x' })], 'text'],
  ])('whose first token is %s has it as its answer', async (_name, events, mode) => {
    const { client } = await start((response) => sendEvents(response, [...events, chunk({}, {}, 'stop'), DONE]))
    await read(await client.chat.completions.create({ ...ask, stream: true }))
    const { attributes } = await onlyRequest()
    expect(attributes['longpole.output_mode']).toBe(mode)
    expect(attributes['longpole.at.first_answer']).toBe(attributes['longpole.at.first_token'])
    expect(attributes['longpole.at.first_reasoning']).toBeUndefined()
  })

  test('that reasons first has two first-token moments', async () => {
    const { client } = await start((response) => {
      startEvents(response)
      response.write(
        chunk({ role: 'assistant', content: '' }) + chunk({ reasoning_content: 'hm' }) + chunk({ content: null, reasoning: 'hm' }),
      )
      setTimeout(() => {
        response.write(chunk({ content: 'so' }) + chunk({}, {}, 'stop') + DONE)
        response.end()
      }, 15)
    })
    await read(await client.chat.completions.create({ ...ask, stream: true }))
    const { attributes } = await onlyRequest()
    expect(attributes['longpole.at.first_reasoning']).toBe(attributes['longpole.at.first_token'])
    expect(attributes['longpole.at.first_answer'] as number).toBeGreaterThan(attributes['longpole.at.first_token'] as number)
    expect(attributes['longpole.chunks']).toBe(3)
    expect(attributes['longpole.output_mode']).toBe('reasoning')
  })
})

describe('a request that lasts until it is consumed', () => {
  test('has the sleep of its consumer in client.consume, and stamps that do not know of it', async () => {
    const server = await startLlmServer((response) => sendEvents(response, answerEvents()))
    servers.push(server)
    const bare = new OpenAI({ baseURL: server.url, apiKey: 'planted-key' })
    const client = instrumentOpenAI(bare, { tracerProvider: spans.provider, untilConsumed: true })
    for await (const part of await client.chat.completions.create({ ...ask, stream: true })) {
      if (part.choices[0]?.delta.content) await new Promise((resolve) => setTimeout(resolve, 15))
    }
    const { request, below, attempts, attributes } = await onlyRequest()
    const consume = below.find((span) => span.name === 'client.consume')!
    expect(durationOf(consume)).toBeGreaterThan(0.04)
    expect(durationOf(request)).toBeGreaterThan(durationOf(attempts[0]!) + 0.04)
    expect(attributes).toMatchObject({ 'longpole.seen': 'iterator', 'longpole.outcome': 'ok' })
    expect(attempts[0]!.attributes['longpole.seen']).toBe('socket')
    expect(seconds(consume.endTime)).toBeCloseTo(seconds(request.endTime), 5)
  })

  test.each([
    ['text()', (response: Response) => response.text()],
    ['a clone', (response: Response) => response.clone().text()],
    ['a pipe', (response: Response) => response.body!.pipeTo(new WritableStream())],
    ['leaving', (response: Response) => response.body!.cancel()],
    [
      'a reader',
      async (response: Response) => {
        const reader = response.body!.getReader()
        while (!(await reader.read()).done);
      },
    ],
  ])('ends when it is read by %s', async (_name, readAll) => {
    const { client } = await start((response) => sendEvents(response, answerEvents()))
    instrumentOpenAI(client)
    const { url } = servers[0]!
    const traced = instrumentFetch(fetch, { tracerProvider: spans.provider, untilConsumed: true })
    const body = JSON.stringify({ model: 'tiny', stream: true })
    await readAll(await traced(`${url}/chat/completions`, { method: 'POST', body }))
    expect((await onlyRequest()).attempts).toHaveLength(1)
  })
})

describe('retries', () => {
  test('are attempts of one request, with the backoff between them', async () => {
    const { client, server } = await start((response, call) => {
      if (call === 1) sendJson(response, 429, { error: { message: 'slow down' } }, { 'retry-after-ms': '5' })
      else if (call === 2) sendJson(response, 500, { error: { message: 'oops' } }, { 'retry-after-ms': '5' })
      else sendEvents(response, answerEvents())
    })
    await read(await client.chat.completions.create({ ...ask, stream: true }))
    const { request, below, attempts } = await onlyRequest()
    expect(attempts.map((span) => [span.attributes['http.response.status_code'], span.attributes['longpole.outcome']])).toEqual([
      [429, 'rejected'],
      [500, 'error'],
      [200, 'ok'],
    ])
    expect(attempts.map((span) => span.attributes['http.request.resend_count'])).toEqual([undefined, 1, 2])
    expect(request.attributes).toMatchObject({ 'longpole.attempts': 3, 'longpole.outcome': 'ok', 'http.response.status_code': 200 })
    const backoffs = below.filter((span) => span.name === 'client.backoff')
    expect(backoffs).toHaveLength(2)
    expect(backoffs[0]!.startTime).toEqual(attempts[0]!.endTime)
    expect(backoffs[0]!.endTime).toEqual(attempts[1]!.startTime)
    const ids = server.seen.map(({ headers }) => headers['x-request-id'] as string)
    expect(ids.map((id) => id.slice(36))).toEqual(['', '-2', '-3'])
    expect(new Set(ids.map((id) => id.slice(0, 36))).size).toBe(1)
    expect(new Set(server.seen.map(({ headers }) => headers.traceparent)).size).toBe(3)
  })

  test('that all fail end the request as the last one did', async () => {
    const { client } = await start((response) => sendJson(response, 503, { error: { message: 'x' } }, { 'retry-after-ms': '1' }), {
      maxRetries: 1,
    })
    await expect(client.chat.completions.create(ask)).rejects.toThrow()
    const { attributes, attempts } = await onlyRequest()
    expect(attempts).toHaveLength(2)
    expect(attributes).toMatchObject({ 'longpole.outcome': 'error', 'longpole.error_class': 'http_503', 'error.type': 'http_503' })
  })

  test('a refused request is not tried again and is rejected', async () => {
    const { client } = await start((response) => sendJson(response, 400, { error: { message: PROMPT } }))
    await expect(client.chat.completions.create({ ...ask, stream: true })).rejects.toThrow()
    const { attributes, attempts, request } = await onlyRequest()
    expect(attempts).toHaveLength(1)
    expect(attributes).toMatchObject({
      'longpole.outcome': 'rejected',
      'longpole.error_class': 'http_400',
      'http.response.status_code': 400,
    })
    expect(request.status.code).toBe(2)
  })

  test('a body that times out is retried within the same request', async () => {
    const { client } = await start(
      (response, call) => {
        if (call > 1) return sendJson(response, 200, completion())
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('{')
      },
      { timeout: 150, maxRetries: 3 },
    )
    await client.chat.completions.create(ask)
    const { attempts, attributes } = await onlyRequest()
    const outcomes = attempts.map((span) => span.attributes['longpole.outcome'])
    expect(outcomes.length).toBeGreaterThan(1)
    expect(outcomes).toEqual([...outcomes.slice(1).map(() => 'timeout'), 'ok'])
    expect(attributes).toMatchObject({ 'longpole.attempts': outcomes.length, 'longpole.outcome': 'ok' })
  })
})

describe('endings', () => {
  test('the caller aborts before the headers, and while the stream runs', async () => {
    const before = new AbortController()
    const { client } = await start((response, call) => {
      if (call === 1) return before.abort()
      startEvents(response)
      response.write(chunk({ content: 'a' }))
    })
    const pending = client.chat.completions.create(ask, { signal: before.signal })
    await expect(pending).rejects.toThrow()
    expect((await spans.requests(1))[0]!.attributes['longpole.outcome']).toBe('aborted')

    const during = new AbortController()
    const stream = await client.chat.completions.create({ ...ask, stream: true }, { signal: during.signal })
    for await (const _part of stream) during.abort()
    const second = (await spans.requests(2))[1]!
    expect(second.attributes).toMatchObject({ 'longpole.outcome': 'aborted', 'longpole.error_class': 'caller_abort', 'longpole.chunks': 1 })
    expect(second.attributes['longpole.at.first_token']).toBeDefined()
  })

  test("the client's own timeout is a timeout, and so is a caller's timeout signal", async () => {
    const { client } = await start(() => {}, { timeout: 30, maxRetries: 0 })
    await expect(client.chat.completions.create(ask)).rejects.toThrow()
    expect((await spans.requests(1))[0]!.attributes).toMatchObject({ 'longpole.outcome': 'timeout', 'longpole.error_class': 'timeout' })
    await expect(client.chat.completions.create(ask, { timeout: 9999, signal: AbortSignal.timeout(30) })).rejects.toThrow()
    expect((await spans.requests(2))[1]!.attributes).toMatchObject({ 'longpole.outcome': 'timeout', 'longpole.error_class': 'timeout' })
  })

  test('nobody listens', async () => {
    const { client, server } = await start(() => {}, { maxRetries: 0 })
    await server.close()
    await expect(client.chat.completions.create(ask)).rejects.toThrow()
    const { attributes, attempts } = await onlyRequest()
    expect(attributes).toMatchObject({ 'longpole.outcome': 'error', 'longpole.error_class': 'connection_refused' })
    expect(attempts).toHaveLength(1)
    expect(attributes['http.response.status_code']).toBeUndefined()
  })
})

describe('other calls', () => {
  test('a whole answer gives usage and no first token', async () => {
    const { client } = await start((response) => sendJson(response, 200, completion()))
    const answer = await client.chat.completions.create(ask)
    expect(answer.choices[0]?.message.content).toBe('planted-answer')
    const { attributes } = await onlyRequest()
    expect(attributes).toMatchObject({
      'gen_ai.request.stream': false,
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.response.finish_reasons': ['stop'],
      'longpole.outcome': 'ok',
    })
    for (const name of ['at.first_token', 'at.last_token', 'chunks', 'gaps.max']) expect(attributes[`longpole.${name}`]).toBeUndefined()
    expect(attributes['longpole.at.first_byte']).toBeDefined()
  })

  test('the responses API streams are understood', async () => {
    const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
    const response = { id: 'resp_1', object: 'response', model: 'tiny-1', status: 'in_progress' }
    const usage = {
      input_tokens: 5,
      output_tokens: 4,
      output_tokens_details: { reasoning_tokens: 2 },
      input_tokens_details: { cached_tokens: 1 },
    }
    const events = [
      event('response.created', { response }),
      event('response.reasoning_summary_text.delta', { delta: 'hm' }),
      event('response.output_text.delta', { delta: 'a' }),
      event('response.output_text.delta', { delta: 'b' }),
      event('response.output_text.done', { text: 'ab' }),
      event('response.completed', { response: { ...response, status: 'completed', usage } }),
    ]
    const { client } = await start((answer) => sendEvents(answer, events))
    for await (const _event of await client.responses.create({ model: 'tiny', input: PROMPT, stream: true }));
    const { attributes } = await onlyRequest()
    expect(attributes).toMatchObject({
      'gen_ai.response.id': 'resp_1',
      'gen_ai.usage.input_tokens': 5,
      'gen_ai.usage.cache_read.input_tokens': 1,
      'gen_ai.usage.reasoning.output_tokens': 2,
      'gen_ai.response.finish_reasons': ['completed'],
      'longpole.chunks': 3,
      'longpole.outcome': 'ok',
    })
    expect(attributes['longpole.at.first_reasoning']).toBe(attributes['longpole.at.first_token'])
  })

  test('calls that are no inference make no span', async () => {
    const { client } = await start((response) => sendJson(response, 200, { object: 'list', data: [] }))
    await client.models.list()
    expect(spans.all()).toEqual([])
  })

  test('a client made by withOptions is instrumented as well, and once', async () => {
    const { client } = await start((response) => sendEvents(response, answerEvents()))
    instrumentOpenAI(client)
    await read(await client.withOptions({ maxRetries: 0 }).chat.completions.create({ ...ask, stream: true }))
    expect((await onlyRequest()).attempts).toHaveLength(1)
  })
})

describe('traces', () => {
  test('the request belongs to the active span', async () => {
    const { client } = await start((response) => sendEvents(response, answerEvents()))
    const parent = spans.provider.getTracer('host').startSpan('host')
    await context.with(trace.setSpan(context.active(), parent), async () =>
      read(await client.chat.completions.create({ ...ask, stream: true })),
    )
    const { request } = await onlyRequest()
    expect(request.parentSpanContext?.spanId).toBe(parent.spanContext().spanId)
  })

  test("a caller's own traceparent and request id are respected", async () => {
    const { client, server } = await start((response) => sendEvents(response, answerEvents()))
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, 'x-request-id': 'mine' }
    await read(await client.chat.completions.create({ ...ask, stream: true }, { headers }))
    const { request, attempts } = await onlyRequest()
    expect(request.spanContext().traceId).toBe(traceId)
    expect(request.parentSpanContext?.spanId).toBe('b7ad6b7169203331')
    expect(server.seen[0]!.headers['x-request-id']).toBe('mine')
    expect(server.seen[0]!.headers.traceparent).toContain(attempts[0]!.spanContext().spanId)
    expect(server.seen[0]!.rawHeaders.filter((name) => name.toLowerCase() === 'traceparent')).toHaveLength(1)
  })

  test('phases and attempts lie inside the request, on one clock', async () => {
    const { client } = await start((response) => sendEvents(response, answerEvents()))
    await read(await client.chat.completions.create({ ...ask, stream: true }))
    const { request } = await onlyRequest()
    for (const span of spans.all()) {
      expect(seconds(span.startTime)).toBeGreaterThanOrEqual(seconds(request.startTime))
      expect(seconds(span.endTime)).toBeLessThanOrEqual(seconds(request.endTime))
      expect(durationOf(span)).toBeGreaterThanOrEqual(0)
    }
  })

  test('no prompt, answer or key is in any span', async () => {
    const { client } = await start((response, call) => {
      if (call === 1) sendEvents(response, answerEvents(['planted-answer', ' planted-answer']))
      else if (call === 2) sendJson(response, 200, completion())
      else sendJson(response, 400, { error: { message: 'planted-error', type: 'planted-error' } })
    })
    await read(await client.chat.completions.create({ ...ask, stream: true }))
    await client.chat.completions.create({ ...ask, user: 'planted-user', metadata: { note: 'planted-note' } })
    await expect(client.chat.completions.create(ask)).rejects.toThrow()
    await spans.requests(3)
    const text = JSON.stringify(spans.all().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })))
    expect(text).toContain('tiny')
    expect(text).not.toContain('planted')
  })
})

function completion() {
  const choices = [{ index: 0, message: { role: 'assistant', content: 'planted-answer' }, finish_reason: 'stop' }]
  const usage = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 }
  return { id: 'chatcmpl-2', object: 'chat.completion', model: 'tiny-1', choices, usage }
}

describe('things that are no client', () => {
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('planted')
      },
    },
  )
  test.each([
    ['an empty object', {}],
    ['a frozen client', Object.freeze({ fetch: () => undefined, makeRequest: () => undefined })],
    ['one that throws on every look', throwing],
    ['one whose members are no functions', { fetch: 1, makeRequest: 'x', retryRequest: null, withOptions: {} }],
  ])('are given back as they are: %s', (_name, thing) => {
    expect(instrumentOpenAI(thing)).toBe(thing)
  })

  test('a makeRequest that returns no promise, or throws, does so still', () => {
    const odd = instrumentOpenAI({ makeRequest: (options: unknown) => options }, { tracerProvider: spans.provider })
    expect(odd.makeRequest('x')).toBe('x')
    const broken = instrumentOpenAI({
      makeRequest: (_options: unknown) => {
        throw new RangeError('mine')
      },
    })
    expect(() => broken.makeRequest({})).toThrow(RangeError)
  })
})
