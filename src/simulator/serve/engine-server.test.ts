import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimRequest } from '../core/request.ts'
import type { EngineKind } from '../fleet/fleet.ts'
import { Simulation } from '../simulation.ts'
import { requestSpans } from '../spans/request-spans.ts'
import { Senders } from '../spans/senders.ts'
import { createEngineServer, type EngineServer } from './engine-server.ts'

/** Virtual seconds a wall second: a test need not wait for tokens. */
const SPEED = 40

interface Served {
  base: string
  served: EngineServer
  simulation: Simulation
  ended: SimRequest[]
  stop(): void
}

async function serve(kind: EngineKind): Promise<Served> {
  const ended: SimRequest[] = []
  const simulation = new Simulation({
    seed: 2,
    seconds: 1e6,
    rate: 2,
    agents: 0,
    startUnixNano: 0n,
    onEnded: (request) => ended.push(request),
  })
  const { world } = simulation
  const pool = world.fleet.pools.find(({ model }) => !model.disaggregated && !model.reasoning)!
  const model = { ...pool.model, kind }
  const started = performance.now()
  const catchUp = () => {
    simulation.run(((performance.now() - started) / 1e3) * SPEED)
    return simulation.now
  }
  const served = createEngineServer({
    world,
    engine: pool.engines[0]!,
    model,
    tenant: world.tenants[0]!,
    unixSeconds: () => 1_700_000_000,
    catchUp,
  })
  const timer = setInterval(catchUp, 2)
  await new Promise<void>((resolve) => served.server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(served.server.address() as AddressInfo).port}`
  return {
    base,
    served,
    simulation,
    ended,
    stop() {
      clearInterval(timer)
      served.server.close()
      served.server.closeAllConnections()
    },
  }
}

function post(base: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const ASK = { model: 'qwen3-8b', messages: [{ role: 'user' as const, content: 'Which way is the longest? '.repeat(200) }], max_tokens: 12 }

describe.each(['vllm', 'sglang'] as const)('an engine that speaks as %s', (kind) => {
  let target: Served
  beforeAll(async () => {
    target = await serve(kind)
  })
  afterAll(() => target.stop())

  test('streams to the OpenAI client: role, tokens, reason, usage', async () => {
    const client = new OpenAI({ baseURL: `${target.base}/v1`, apiKey: 'none', maxRetries: 0 })
    const stream = await client.chat.completions.create({ ...ASK, stream: true, stream_options: { include_usage: true } })
    const deltas: string[] = []
    let finish: string | null = null
    let usage: { prompt_tokens: number; completion_tokens: number } | null = null
    for await (const chunk of stream) {
      deltas.push(chunk.choices[0]?.delta.content ?? '')
      finish = chunk.choices[0]?.finish_reason ?? finish
      usage = chunk.usage ?? usage
    }
    expect(finish).toMatch(/length|stop/)
    expect(deltas.join('').trim().split(' ')).toHaveLength(usage!.completion_tokens)
    expect(usage!.prompt_tokens).toBeGreaterThan(1000)
  })

  test('answers whole, and finds the prefix of the prompt in its cache the second time', async () => {
    const client = new OpenAI({ baseURL: `${target.base}/v1`, apiKey: 'none', maxRetries: 0 })
    const ask = { ...ASK, messages: [{ role: 'user' as const, content: 'Again and again. '.repeat(300) }] }
    const first = await client.chat.completions.create(ask)
    const second = await client.chat.completions.create(ask)
    expect(first.usage?.prompt_tokens_details?.cached_tokens).toBe(0)
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThanOrEqual(1024)
    expect(second.choices[0]?.message.content).not.toBe('')
  })

  test('takes a prompt of token ids, counts them exactly, and knows them again', async () => {
    const client = new OpenAI({ baseURL: `${target.base}/v1`, apiKey: 'none', maxRetries: 0 })
    const ask = { model: 'qwen3-8b', prompt: Array.from({ length: 700 }, (_, index) => (index * 7919) % 150_000), max_tokens: 4 }
    const first = await client.completions.create(ask)
    const second = await client.completions.create({ ...ask, prompt: [ask.prompt] as unknown as number[][] })
    expect([first.usage?.prompt_tokens, first.usage?.prompt_tokens_details?.cached_tokens]).toEqual([700, 0])
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBe(512)
  })

  test('refuses what the real one refuses, in its words', async () => {
    const broken = await post(target.base, '{"model":')
    expect(broken.status).toBe(400)
    const negative = await post(target.base, { ...ASK, temperature: -3 })
    expect(negative.status).toBe(400)
    expect(await negative.text()).toContain('temperature must be non-negative, got -3.0')
    const unknown = await post(target.base, { ...ASK, model: 'nope' })
    expect(unknown.status).toBe(kind === 'vllm' ? 404 : 200)
    await unknown.text()
    expect((await fetch(`${target.base}/nowhere`)).status).toBe(404)
    expect((await fetch(`${target.base}/health`)).status).toBe(200)
  })

  test('a caller who leaves is gone from the engine', async () => {
    const controller = new AbortController()
    const response = await fetch(`${target.base}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'leaver' },
      body: JSON.stringify({ ...ASK, max_tokens: 60_000, ignore_eos: true, stream: true }),
      signal: controller.signal,
    })
    await response.body!.getReader().read()
    controller.abort()
    await expect.poll(() => target.ended.find(({ external }) => external?.requestId === 'leaver')?.outcome).toBe('aborted')
  })

  test('its span is a child of the caller’s, whatever the fleet’s own ids are', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await (await post(target.base, ASK, { traceparent, 'x-request-id': 'traced' })).text()
    const request = target.ended.find(({ external }) => external?.requestId === 'traced')!
    const spans = requestSpans(request, 2, new Senders(2))
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331')
    expect(spans.every(({ traceId }) => traceId === '0af7651916cd43dd8448eb211c80319c')).toBe(true)
    expect(roots).toHaveLength(1)
  })

  test('its metrics page has every family, type, label and bucket of the recording, and its own numbers', async () => {
    const file = kind === 'vllm' ? 'vllm-0.32.0.prom' : 'sglang-0.5.23.prom'
    const recorded = readFileSync(new URL(`../expositions/${file}`, import.meta.url), 'utf8')
    const page = await (await fetch(`${target.base}/metrics`)).text()
    const shape = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => (line.startsWith('#') ? line : line.replace(/ \S+$/, '').replace(/model_name="[^"]*"/, 'model_name')))
    expect(shape(page)).toEqual(shape(recorded))
    const counted = kind === 'vllm' ? /^vllm:prompt_tokens_total\{.*\} (\S+)$/m : /^sglang:prompt_tokens_total\{.*\} (\S+)$/m
    expect(Number(counted.exec(page)?.[1])).toBeGreaterThan(1000)
    const first = kind === 'vllm' ? 'vllm:time_to_first_token_seconds' : 'sglang:time_to_first_token_seconds'
    for (const request of target.ended.filter(({ outcome }) => outcome === 'ok')) target.served.observe(request)
    const again = await (await fetch(`${target.base}/metrics`)).text()
    const count = new RegExp(`^${first}_count\\{(?!.*is_streaming="false").*\\} (\\S+)$`, 'm').exec(again)?.[1]
    const infinite = new RegExp(`^${first}_bucket\\{(?!.*is_streaming="false").*le="\\+Inf".*\\} (\\S+)$`, 'm').exec(again)?.[1]
    expect(Number(count)).toBeGreaterThan(0)
    expect(infinite).toBe(count)
  })
})
