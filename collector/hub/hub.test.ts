import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Metadata } from '@grpc/grpc-js'
import { Events, Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import type { Attributes, Span } from '@longpole/model/span'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { encodeLogs, encodeTraces } from '../../src/wire/otlp/encode.ts'
import { type Hub, startHub } from './main.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-hub-'))
let hub: Hub

const configOf = (overrides: object = {}) =>
  loadConfig({
    environment: {},
    overrides: {
      listen: { api: '127.0.0.1:0', otlpHttp: '127.0.0.1:0', otlpGrpc: '127.0.0.1:0' },
      store: { data: join(directory, 'data') },
      settle: { afterSeconds: 0.2, withoutClientSeconds: 0.4 },
      limits: { bodyBytes: 2_000_000 },
      slo: { objectives: [{ slo: 'e2e', thresholdSeconds: 1 }] },
      ...overrides,
    },
  })

beforeAll(async () => {
  hub = await startHub({ config: configOf(), version: 'test' })
})
afterAll(async () => {
  await hub.close()
  rmSync(directory, { recursive: true, force: true })
})

const url = (path: string) => `http://127.0.0.1:${hub.ports.otlpHttp}${path}`
const PROTOBUF = { 'content-type': 'application/x-protobuf' }
const post = (body: Uint8Array | string, headers: Record<string, string> = PROTOBUF, path = '/v1/traces') =>
  fetch(url(path), { method: 'POST', headers, body })

let ids = 0
const traceId = () => (++ids).toString(16).padStart(32, 'f')
function span(overrides: Partial<Span> = {}): Span {
  const now = BigInt(Date.now()) * 1_000_000n
  return {
    traceId: traceId(),
    spanId: (++ids).toString(16).padStart(16, '0'),
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: 'chat m',
    kind: 3,
    startUnixNano: now - 2_000_000_000n,
    endUnixNano: now,
    attributes: {},
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    resource: { 'service.name': 'test' },
    scopeName: ScopeName.sdk,
    scopeVersion: '',
    ...overrides,
  }
}
const clientSpan = (attributes: Attributes = {}) =>
  span({ attributes: { [Longpole.role]: 'request', [Longpole.outcome]: 'ok', 'gen_ai.request.model': 'm', ...attributes } })

async function rows<Row>(sql: string): Promise<Row[]> {
  return hub.store.query<Row>(sql)
}
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
const storedOf = async (id: string) => Number((await rows<{ n: number }>(`SELECT count() AS n FROM spans WHERE trace_id = '${id}'`))[0]?.n)
const recordsOf = (id: string) =>
  rows<{ record_id: string; version: number; outcome: string }>(`SELECT record_id, version, outcome FROM requests WHERE trace_id = '${id}'`)
async function metric(name: string): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${hub.ports.api}/metrics`)).text()
  return page
    .split('\n')
    .filter((line) => line.startsWith(name) && !line.startsWith('#'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const readable = (id: string) =>
  ({
    name: 'chat',
    kind: 2,
    spanContext: () => ({ traceId: id, spanId: 'b7ad6b7169203331', traceFlags: 1 }),
    startTime: [1_790_000_000, 0],
    endTime: [1_790_000_001, 0],
    duration: [1, 0],
    status: { code: 0 },
    attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' },
    events: [],
    links: [],
    ended: true,
    resource: { attributes: { 'service.name': 'svc' }, asyncAttributesPending: false },
    instrumentationScope: { name: 'stock' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }) as unknown as Parameters<JsonExporter['export']>[0][0]

describe('stock OpenTelemetry exporters', () => {
  test.each(['protobuf', 'json', 'grpc', 'protobuf gzip', 'grpc gzip'])(
    '%s: the span is in the store when export succeeds',
    async (kind) => {
      const compression = (kind.endsWith('gzip') ? 'gzip' : 'none') as never
      const exporter = kind.startsWith('grpc')
        ? new GrpcExporter({ url: `http://127.0.0.1:${hub.ports.otlpGrpc}`, compression })
        : kind === 'json'
          ? new JsonExporter({ url: url('/v1/traces') })
          : new ProtobufExporter({ url: url('/v1/traces'), compression })
      const id = traceId()
      const result = await new Promise<{ code: number; error?: Error }>((resolve) => exporter.export([readable(id)], resolve))
      expect(result).toMatchObject({ code: 0 })
      expect(await storedOf(id)).toBe(1)
      await exporter.shutdown()
    },
  )
})

describe('a request', () => {
  test('becomes one record, however often its span is sent', async () => {
    const sent = clientSpan()
    const before = {
      stored: await metric('longpole_spans_stored_total'),
      dropped: await metric('longpole_spans_dropped_total{reason="duplicate"}'),
    }
    const answers = await Promise.all([1, 2, 3].map(() => post(encodeTraces([sent, sent]))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    await until(async () => (await recordsOf(sent.traceId)).length > 0)
    expect(await storedOf(sent.traceId)).toBe(1)
    expect(await metric('longpole_spans_stored_total')).toBe(before.stored + 1)
    expect(await metric('longpole_spans_dropped_total{reason="duplicate"}')).toBe(before.dropped + 5)
  })

  test('whose spans are malformed is told so, and the rest is kept', async () => {
    const good = clientSpan()
    const answer = await post(encodeTraces([good, { ...good, spanId: '' }]))
    expect(answer.status).toBe(200)
    expect(Buffer.from(await answer.arrayBuffer()).toString('latin1')).toContain('without a valid trace id')
    expect(await storedOf(good.traceId)).toBe(1)
  })

  test('in flight is seen, is bad when its deadline passes, and closes once in the place of its open row', async () => {
    const sidecar = span({
      kind: 2,
      scopeName: ScopeName.sidecar,
      attributes: { [Longpole.role]: 'attempt', [Longpole.outcome]: 'ok', 'gen_ai.request.model': 'hung', [Longpole.replica]: 'r' },
    })
    const record = {
      resource: { [Longpole.replica]: 'r' },
      scopeName: ScopeName.sidecar,
      scopeVersion: '',
      timeUnixNano: sidecar.startUnixNano,
      observedUnixNano: 0n,
      severityNumber: 9,
      eventName: Events.requestOpen,
      body: 'PLANTED body',
      attributes: { ...sidecar.attributes, [Events.openAge]: 6, [Events.openPhase]: 'engine.queue', 'gen_ai.prompt': 'PLANTED' },
      traceId: sidecar.traceId,
      spanId: sidecar.spanId,
    }
    expect((await post(encodeLogs([record]), PROTOBUF, '/v1/logs')).status).toBe(200)
    const items = await until(async () => {
      const open = (await (await fetch(`http://127.0.0.1:${hub.ports.api}/api/v1/open`)).json()) as { items: unknown[] }
      return open.items.length > 0 && open.items
    })
    expect(items).toMatchObject([
      { trace_id: sidecar.traceId, phase: 'engine.queue', model: 'hung', late: expect.arrayContaining(['e2e']) },
    ])
    expect(await metric('longpole_requests_open{cluster="",model="hung"')).toBe(1)
    const bad = 'longpole_slo_requests_total{cluster="",model="hung",slo="e2e",prompt_class="",vantage="sidecar",result="bad"}'
    expect(await metric(bad)).toBe(1)
    await until(async () => (await recordsOf(sidecar.traceId)).some(({ outcome }) => outcome === 'open'))
    expect((await post(encodeTraces([sidecar]))).status).toBe(200)
    const closed = await until(async () => (await recordsOf(sidecar.traceId)).find(({ outcome }) => outcome === 'ok'))
    expect(closed.record_id).toBe(`${sidecar.traceId}-${sidecar.spanId}`)
    expect(await recordsOf(sidecar.traceId)).toHaveLength(1)
    expect((await post(encodeLogs([record]), PROTOBUF, '/v1/logs')).status).toBe(200)
    await until(async () => (await metric('longpole_requests_open{cluster="",model="hung"')) === 0)
    expect(await metric(bad)).toBe(1)
  })
})

describe('bodies that cannot be taken', () => {
  const zeros = Buffer.alloc(64_000_000)
  const cases: [string, () => Promise<Response>, number, string][] = [
    ['rubbish', () => post('rubbish'), 400, 'malformed'],
    ['rubbish in JSON', () => post('{"resourceSpans":5}', { 'content-type': 'application/json' }), 400, 'malformed'],
    ['not gzip', () => post('x', { ...PROTOBUF, 'content-encoding': 'gzip' }), 400, 'malformed'],
    ['too large', () => post(Buffer.alloc(2_000_001)), 413, 'too_large'],
    ['a gzip bomb', () => post(gzipSync(zeros), { ...PROTOBUF, 'content-encoding': 'gzip' }), 413, 'too_large'],
    ['gzip within gzip', () => post(gzipSync(gzipSync(zeros)), { ...PROTOBUF, 'content-encoding': 'gzip, gzip' }), 415, 'encoding'],
    ['brotli', () => post('x', { ...PROTOBUF, 'content-encoding': 'br' }), 415, 'encoding'],
    ['another media type', () => post('x', { 'content-type': 'text/plain' }), 415, 'media_type'],
  ]
  test.each(cases)('%s: the right status and one count', async (_, send, status, reason) => {
    const before = await metric(`longpole_payloads_rejected_total{reason="${reason}"}`)
    expect((await send()).status).toBe(status)
    expect(await metric(`longpole_payloads_rejected_total{reason="${reason}"}`)).toBe(before + 1)
  })

  test('an unknown path, another method, a sender that breaks off', async () => {
    expect((await fetch(url('/v1/profiles'), { method: 'POST' })).status).toBe(404)
    expect((await fetch(url('/v1/traces'))).status).toBe(405)
    const socket = connect(hub.ports.otlpHttp, '127.0.0.1')
    socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 1000\r\n\r\nabc')
    socket.end()
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    expect((await post(encodeTraces([clientSpan()]))).status).toBe(200)
  })

  test('metrics and logs that say nothing to us are taken and counted', async () => {
    expect((await post('', PROTOBUF, '/v1/metrics')).status).toBe(200)
    expect((await post('', PROTOBUF, '/v1/logs')).status).toBe(200)
  })
})

test('planted content is in no table, on no page and in no metric', async () => {
  const words = {
    'gen_ai.input.messages': 'PLANTED',
    'llm.prompts': 'PLANTED',
    'http.request.header.authorization': 'Bearer PLANTED',
    'gen_ai.request.model': 'sk-PLANTED12345678',
  }
  const sent = span({
    attributes: { ...clientSpan().attributes, ...words, PLANTED: 1 },
    resource: words,
    name: 'POST /v1?key=PLANTED',
    statusMessage: 'PLANTED',
    events: [{ name: 'PLANTED', timeUnixNano: 1n, attributes: words }],
  })
  expect((await post(encodeTraces([sent]))).status).toBe(200)
  await until(async () => (await recordsOf(sent.traceId)).length > 0)
  const tables = await Promise.all(['spans', 'requests', 'samples', 'events'].map((table) => rows(`SELECT * FROM ${table}`)))
  const pages = await Promise.all(
    ['/metrics', '/api/v1/requests?limit=10000', '/api/v1/open', `/api/v1/requests/${sent.traceId}-${sent.spanId}`].map(async (path) =>
      (await fetch(`http://127.0.0.1:${hub.ports.api}${path}`)).text(),
    ),
  )
  expect(JSON.stringify([tables, pages])).not.toContain('PLANTED')
})

test('the account of spans is exact', async () => {
  const names = ['received', 'stored', 'dropped', 'rejected'].map((word) => `longpole_spans_${word}_total`)
  const [received, ...decided] = await Promise.all(names.map(metric))
  expect(received).toBe(decided.reduce((sum, value) => sum + value, 0))
  expect(await metric('longpole_spans_in_flight')).toBe(0)
})

test.skipIf(process.platform !== 'linux')(
  'a store process that is killed costs a refusal at most, and nothing that was acknowledged',
  async () => {
    const before = clientSpan()
    expect((await post(encodeTraces([before]))).status).toBe(200)
    for (const pid of storeProcesses()) process.kill(pid, 'SIGKILL')
    const sent = clientSpan()
    await until(async () => {
      const answer = await post(encodeTraces([sent]))
      if (answer.status === 200) return true
      expect(answer.status).toBe(503)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      return false
    })
    expect([await storedOf(before.traceId), await storedOf(sent.traceId)]).toEqual([1, 1])
    await until(async () => (await recordsOf(sent.traceId)).length > 0)
  },
)

/** Children of this process that run the embedded store. */
function storeProcesses(): number[] {
  const children = readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' '),
  )
  return children.filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('store')).map(Number)
}

test('a hub that starts again takes up what was unsettled, once, and writes nothing twice', async () => {
  const settled = clientSpan()
  await post(encodeTraces([settled]))
  await until(async () => (await recordsOf(settled.traceId)).length > 0)
  const before = await recordsOf(settled.traceId)
  const unsettled = clientSpan()
  await post(encodeTraces([unsettled]))
  await hub.close()
  hub = await startHub({ config: configOf(), version: 'test' })
  await until(async () => (await recordsOf(unsettled.traceId)).length > 0)
  expect(await recordsOf(unsettled.traceId)).toHaveLength(1)
  expect(await recordsOf(settled.traceId)).toEqual(before)
})

describe('a hub with one role', () => {
  test('that localizes receives no OTLP and settles nothing; one that ingests receives', async () => {
    const localizes = await startHub({
      config: configOf({ role: 'localize', store: { data: join(directory, 'localize') } }),
      version: 'test',
    })
    expect(localizes.ports).toMatchObject({ otlpHttp: 0, otlpGrpc: 0 })
    expect((await fetch(`http://127.0.0.1:${localizes.ports.api}/api/v1/summary`)).status).toBe(200)
    await localizes.close()
    const ingests = await startHub({ config: configOf({ role: 'ingest', store: { data: join(directory, 'ingest') } }), version: 'test' })
    const answer = await fetch(`http://127.0.0.1:${ingests.ports.otlpHttp}/v1/traces`, {
      method: 'POST',
      headers: PROTOBUF,
      body: encodeTraces([clientSpan()]),
    })
    expect(answer.status).toBe(200)
    await ingests.close()
  })
})

describe('a hub that cannot start', () => {
  test('says which port is taken and how to change it', async () => {
    const config = configOf({
      listen: { api: '127.0.0.1:0', otlpHttp: `127.0.0.1:${hub.ports.otlpHttp}`, otlpGrpc: '127.0.0.1:0' },
      store: { data: join(directory, 'other') },
    })
    await expect(startHub({ config, version: 'test' })).rejects.toThrow(
      /127\.0\.0\.1:\d+ .*another program.*listen\.otlpHttp.*LONGPOLE_LISTEN_OTLP_HTTP/,
    )
  })

  test('refuses an address that others can reach without a token', async () => {
    const config = configOf({
      listen: { api: '127.0.0.1:0', otlpHttp: '0.0.0.0:0', otlpGrpc: '127.0.0.1:0' },
      store: { data: join(directory, 'other') },
    })
    await expect(startHub({ config, version: 'test' })).rejects.toThrow(/listen\.otlpHttp.*token/)
  })
})

test('with a token, only who has it is let in, over HTTP and gRPC', async () => {
  const token = 'a-token-of-some-length'
  const guarded = await startHub({
    config: configOf({ auth: { tokens: [token] }, store: { data: join(directory, 'guarded') } }),
    version: 'test',
  })
  try {
    const send = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${guarded.ports.otlpHttp}/v1/traces`, {
        method: 'POST',
        headers: { ...PROTOBUF, ...headers },
        body: encodeTraces([clientSpan()]),
      })
    expect((await send({})).status).toBe(401)
    expect((await send({ authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await send({ authorization: `Bearer ${token}` })).status).toBe(200)
    for (const [given, code] of [
      ['wrong', 1],
      [token, 0],
    ] as const) {
      const metadata = new Metadata()
      metadata.set('authorization', `Bearer ${given}`)
      const exporter = new GrpcExporter({ url: `http://127.0.0.1:${guarded.ports.otlpGrpc}`, metadata })
      const result = await new Promise<{ code: number }>((resolve) => exporter.export([readable(traceId())], resolve))
      expect(result.code).toBe(code)
      await exporter.shutdown()
    }
  } finally {
    await guarded.close()
  }
})
