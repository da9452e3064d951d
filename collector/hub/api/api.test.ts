import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiError, ApiFleet, ApiRequest, ApiRequestDetail, ApiSummary, List } from '@longpole/model/api'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFinding, makeRecord, makeRecords, makeSample, makeSpans, START } from '../../store/conformance-data.ts'
import { createApi } from './api.ts'
import { startTestHub, type TestHub } from './test-hub.ts'

let hub: TestHub
const records = makeRecords(200)

beforeAll(async () => {
  hub = await startTestHub({ auth: { allowedHosts: ['hub.example.org'] } })
  await hub.store.insertRecords(records)
  await hub.store.insertSamples(Array.from({ length: 10 }, (_, index) => makeSample(index)))
  await hub.store.insertFindings([makeFinding('f1'), makeFinding('f2')])
})
afterAll(async () => hub?.close())

async function json<T>(path: string): Promise<T> {
  const response = await hub.get(path)
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

async function errorOf(response: Response): Promise<ApiError['error'] & { status: number }> {
  return { status: response.status, ...((await response.json()) as ApiError).error }
}

describe('requests', () => {
  test('a list has the columns of the record, phases in path order, instants as text', async () => {
    const { items, next } = await json<List<ApiRequest>>('/api/v1/requests?limit=1')
    const record = records.at(-1)!
    expect(next).toEqual(expect.any(String))
    expect(items[0]).toMatchObject({ record_id: record.record_id, start_unix_ns: record.start_unix_ns.toString(), ttft: record.ttft })
    expect(items[0]!.phases.map((phase) => phase.phase)).toEqual(record.phases.map((phase) => phase.phase))
    expect(items[0]!.phases.at(-1)!.phase).toBe('unattributed')
    expect(items[0]!.phases[0]).toMatchObject({ source: expect.any(String), exactness: 'measured', error_seconds: null })
  })

  test('filters are alternatives within a parameter and conditions between them; pages follow each other', async () => {
    const path = '/api/v1/requests?model=model-0&model=model-1&region=eu-1&limit=20'
    const seen: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const page: List<ApiRequest> = await json(`${path}${next === '' ? '' : `&cursor=${encodeURIComponent(next)}`}`)
      seen.push(...page.items.map((item) => item.record_id))
      next = page.next
    }
    const expected = records.filter((record) => record.model !== 'model-2' && record.region === 'eu-1').map((record) => record.record_id)
    expect(seen).toEqual(expected.reverse())
  })

  test('the requests that missed an objective, worst first', async () => {
    const { items } = await json<List<ApiRequest>>('/api/v1/requests?slo=ttft&result=bad&sort=worst&model=model-0&limit=10')
    const values = items.map((item) => item.ttft!)
    expect(values).toEqual([...values].sort((a, b) => b - a))
    expect(items.every((item) => item.outcome === 'error' || item.outcome === 'timeout' || item.ttft! > 2)).toBe(true)
    const { items: good } = await json<List<ApiRequest>>('/api/v1/requests?slo=ttft&result=good&limit=10')
    expect(good.every((item) => item.outcome === 'ok' && item.ttft! <= 2)).toBe(true)
  })

  test('one request comes with its spans; an unknown one is 404', async () => {
    const record = makeRecord(5_000, { seed: 9 })
    const spans = makeSpans(3, { seed: 9 })
    await hub.store.insertRecords([{ ...record, trace_id: spans[0]!.span.traceId }])
    await hub.store.insertSpans(spans)
    const detail = await json<ApiRequestDetail>(`/api/v1/requests/${encodeURIComponent(record.record_id)}`)
    expect(detail.spans).toHaveLength(3)
    expect(detail.spans[0]).toMatchObject({ start_unix_ns: expect.stringMatching(/^\d{19}$/), attributes: { big: '9007199254740993' } })
    expect(await errorOf(await hub.get('/api/v1/requests/nobody'))).toMatchObject({ status: 404, code: 'not_found' })
  })

  test('spans of every trace that a record was joined from, not only of its own', async () => {
    const record = makeRecord(5_001, { seed: 10, version: 6 })
    const own = makeSpans(3, { seed: 10 })
    const engine = makeSpans(3, { seed: 11 }).map((stored) => ({
      ...stored,
      span: { ...stored.span, attributes: { 'gen_ai.request.id': 'chatcmpl-req-of-two-traces-0' } },
    }))
    const stranger = makeSpans(3, { seed: 12 })
    const joined = { ...record, trace_id: own[0]!.span.traceId, received_unix_ns: START, request_id: 'req-of-two-traces' }
    await hub.store.insertRecords([{ ...joined, hops: [], attempt_list: [] }])
    await hub.store.insertSpans([...own, ...engine, ...stranger])
    const { spans } = await json<ApiRequestDetail>(`/api/v1/requests/${encodeURIComponent(record.record_id)}`)
    expect(spans.map((span) => span.trace_id)).toEqual([...own, ...engine].map(({ span }) => span.traceId))
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=10001', 'limit'],
    ['limit=ten', 'limit'],
    ['from=yesterday', 'from'],
    ['from=2026-13-45T00:00:00Z', 'from'],
    ['from=20&to=10', 'to'],
    ['modle=x', 'modle'],
    ['outcome=fine', 'outcome'],
    ['order=size', 'order'],
    ['order=start&order=e2e', 'order'],
    ['cursor=nonsense', 'cursor'],
    ['e2e=1', 'e2e'],
    ['slo=speed&result=bad', 'slo'],
  ])('%s is refused by name', async (query, key) => {
    expect(await errorOf(await hub.get(`/api/v1/requests?${query}`))).toMatchObject({ status: 400, code: 'bad_input', key })
  })
})

test('instants may be Unix seconds, nanoseconds or RFC 3339', async () => {
  const seconds = Number(START / 1_000_000_000n)
  const counts = await Promise.all(
    [`${seconds + 1}`, `${START + 1_000_000_000n}`, encodeURIComponent(new Date((seconds + 1) * 1_000).toISOString())].map(
      async (to) => (await json<List<ApiRequest>>(`/api/v1/requests?from=${seconds}&to=${to}&limit=1000`)).items.length,
    ),
  )
  expect(counts).toEqual([40, 40, 40])
})

describe('events, findings and verdicts', () => {
  test('a posted event is stored, told to the hub, and a bad one refused by key', async () => {
    const response = await hub.post('/api/v1/events', {
      kind: 'deploy',
      title: 'router 4812',
      scope: { replica: ['a'] },
      at: Number(START / 1_000_000_000n),
    })
    expect(response.status).toBe(201)
    const { items } = await json<List<{ title: string; unix_ns: string }>>(`/api/v1/events?from=${START}&to=${START + 1n}`)
    expect(items).toMatchObject([{ title: 'router 4812', unix_ns: START.toString(), source: 'api' }])
    for (const [body, key] of [
      [{ kind: 'party', title: 'x' }, 'kind'],
      [{ kind: 'deploy' }, 'title'],
      [{ kind: 'deploy', title: 'x', at: 'now-ish' }, 'at'],
      [{ kind: 'deploy', title: 'x', color: 'red' }, 'color'],
      [[], 'body'],
    ] as const) {
      expect(await errorOf(await hub.post('/api/v1/events', body))).toMatchObject({ status: 400, key })
    }
  })

  test('a verdict counts once, for a finding that exists', async () => {
    expect((await hub.post('/api/v1/findings/f1/verdict', { verdict: 'wrong' })).status).toBe(201)
    expect((await hub.post('/api/v1/findings/f1/verdict', { verdict: 'right', note: 'it was' })).status).toBe(201)
    expect((await hub.post('/api/v1/findings/nobody/verdict', { verdict: 'right' })).status).toBe(404)
    expect(await errorOf(await hub.post('/api/v1/findings/f1/verdict', { verdict: 'maybe' }))).toMatchObject({
      status: 400,
      key: 'verdict',
    })
    expect(await json('/api/v1/accuracy')).toEqual({ right: 1, wrong: 0, known: 0, unanswered: 1 })
    expect(await json('/api/v1/findings/f1')).toMatchObject({ id: 'f1', user_verdict: { verdict: 'right', note: 'it was' } })
    expect(await json<List<object>>('/api/v1/findings?open=true')).toMatchObject({ items: [{}, {}], next: null })
  })

  test('why asks the localizer, and says so where there is none', async () => {
    const incident = { from: 1, to: 2 }
    expect(await errorOf(await hub.post('/api/v1/why', { incident }))).toMatchObject({ status: 501, code: 'no_localizer' })
    expect(await errorOf(await hub.post('/api/v1/why', { incident: { from: 2, to: 1 } }))).toMatchObject({
      status: 400,
      key: 'incident.to',
    })
    expect(await errorOf(await hub.post('/api/v1/why', {}))).toMatchObject({ status: 400, key: 'incident' })
  })
})

describe('overviews', () => {
  test('the summary counts what the records say', async () => {
    const summary = await json<ApiSummary>('/api/v1/summary?window=10')
    expect(summary.requests).toBe(200)
    const model = summary.models.find((entry) => entry.model === 'model-0')!
    const own = records.filter((record) => record.model === 'model-0')
    expect(model.requests_per_second).toBeCloseTo(own.length / 10)
    expect(model.error_ratio).toBeCloseTo(own.filter((record) => ['error', 'timeout'].includes(record.outcome)).length / own.length)
    const queue = own.reduce((sum, record) => sum + (record.phases.find((phase) => phase.phase === 'engine.queue')?.seconds ?? 0), 0)
    expect(model.phases.find((phase) => phase.phase === 'engine.queue')!.mean_seconds).toBeCloseTo(queue / own.length)
    expect(
      summary.slos
        .filter((slo) => slo.model === 'model-0')
        .map((slo) => slo.slo)
        .sort(),
    ).toEqual(['availability', 'e2e', 'goodput', 'stall', 'tpot', 'ttft'])
    expect(summary.findings.map((finding) => finding.id).sort()).toEqual(['f1', 'f2'])
  })

  test('the fleet has every replica, with what its samples and its requests say', async () => {
    const fleet = await json<ApiFleet>('/api/v1/fleet?window=60')
    expect(fleet.replicas).toHaveLength(9)
    const sampled = fleet.replicas.find((replica) => replica.replica === 'replica-1' && replica.running !== null)!
    expect(sampled).toMatchObject({ up: true, running: 3, waiting: null, kv_usage: 0.5 })
    const served = fleet.replicas.filter((replica) => replica.requests_per_second > 0)
    expect(served).toHaveLength(7)
    expect(served.every((replica) => Math.abs(replica.excess!) < 1)).toBe(true)
  })

  test('requests in flight are those of the live feed', async () => {
    const request = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      requestId: 'r',
      startUnixNano: START,
      observedUnixNano: START,
      ageSeconds: 3,
      phase: 'engine.queue',
      columns: { model: 'm' },
    }
    hub.live.open([request, { ...request, columns: { model: 'n' } }], [['ttft'], []])
    expect(await json('/api/v1/open?model=m')).toMatchObject({
      items: [{ trace_id: request.traceId, late: ['ttft'], age_seconds: 3, replica: null }],
    })
    hub.live.open([], [])
    expect(await json('/api/v1/open')).toEqual({ items: [], next: null })
  })

  test('samples come newest first', async () => {
    const { items } = await json<List<{ unix_ns: string }>>(`/api/v1/samples?from=${START}&to=${START + 20_000_000_000n}&limit=3`)
    expect(items.map((item) => BigInt(item.unix_ns) - START)).toEqual([9_000_000_000n, 8_000_000_000n, 7_000_000_000n])
  })
})

describe('export', () => {
  const window = `from=${START}&to=${START + 5_000_000_000n}`

  test('NDJSON, Arrow, Parquet and CSV hold the same rows', async () => {
    const read = async (format: string) =>
      Buffer.from(await (await hub.get(`/api/v1/export?format=${format}&${window}&columns=all`)).arrayBuffer())
    const lines = (await read('ndjson'))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toHaveLength(200)
    const first = lines.find((line) => line.record_id === records[0]!.record_id)
    expect(first).toMatchObject({ start_unix_ns: START.toString(), ttft: records[0]!.ttft, phase_gateway_queue_exactness: 'upper_bound' })
    const table = tableFromIPC(await read('arrow'))
    expect(table.numRows).toBe(200)
    expect((await read('parquet')).subarray(0, 4).toString()).toBe('PAR1')
    const csv = (await read('csv')).toString().trim().split('\n')
    expect(csv).toHaveLength(201)
    expect(csv[0]).toContain('"record_id"')
  })

  test('columns and filters choose; a text that a spreadsheet would run is quoted in CSV', async () => {
    await hub.store.insertRecords([{ ...makeRecord(9_000, { seed: 5 }), model: '=HYPERLINK("http://evil")', region: '-1+1' }])
    const text = await (await hub.get('/api/v1/export?format=csv&columns=model,region,e2e&region=-1%2B1')).text()
    expect(text.split('\n')[1]).toMatch(/^"'=HYPERLINK\(""http:\/\/evil""\)","'-1\+1",\d/)
    const one = await (await hub.get('/api/v1/export?format=ndjson&columns=model&region=-1%2B1')).text()
    expect(JSON.parse(one)).toEqual({ model: '=HYPERLINK("http://evil")' })
  })

  test.each(['ndjson', 'parquet'])(
    'clients that stop reading or leave in the middle of %s do not keep the pages waiting',
    async (format) => {
      const leaving = [new AbortController(), new AbortController()]
      const path = `/api/v1/export?format=${format}&columns=all`
      const stalled = await Promise.all(leaving.map(({ signal }) => fetch(`${hub.address}${path}`, { signal })))
      expect(stalled.map(({ status }) => status)).toEqual([200, 200])
      expect((await hub.get('/api/v1/requests?limit=1')).status).toBe(200)
      for (const gone of leaving) gone.abort()
      for (let round = 0; round < 6; round++) {
        const gone = new AbortController()
        const answer = await fetch(`${hub.address}${path}`, { signal: gone.signal })
        expect([200, 503]).toContain(answer.status)
        gone.abort()
      }
      const answers = await Promise.all(Array.from({ length: 6 }, () => hub.get('/api/v1/requests?limit=1')))
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200))
    },
  )

  test('an unknown format or column is refused by name', async () => {
    expect(await errorOf(await hub.get('/api/v1/export?format=xlsx'))).toMatchObject({ status: 400, key: 'format' })
    expect(await errorOf(await hub.get('/api/v1/export?columns=model,1%20FROM%20x'))).toMatchObject({ status: 400, key: 'columns' })
  })
})

describe('guards', () => {
  /** fetch sets Host by itself. */
  function statusWithHost(host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const { port } = new URL(hub.address)
      httpRequest({ host: '127.0.0.1', port, path: '/api/v1/open', headers: { host } }, (response) =>
        resolve(response.resume().statusCode!),
      )
        .on('error', reject)
        .end()
    })
  }

  test('a name that is not ours is refused: a rebound name cannot read the API', async () => {
    expect(await statusWithHost('evil.example:7171')).toBe(421)
    expect(await statusWithHost('localhost.evil.example')).toBe(421)
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:7171', '10.1.2.3', 'hub.example.org'])
      expect(await statusWithHost(host)).toBe(200)
  })

  test('a write from the page of another site is refused, one from our own or from a program is taken', async () => {
    const body = { kind: 'note', title: 'hello' }
    const foreign: Record<string, string>[] = [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]
    for (const headers of foreign) {
      expect((await hub.post('/api/v1/events', body, headers)).status).toBe(403)
    }
    expect((await hub.post('/api/v1/events', body, { origin: hub.address })).status).toBe(201)
    expect((await hub.post('/api/v1/events', body)).status).toBe(201)
  })

  test('every answer has the policy, none allows other origins, none tells what it is made with', async () => {
    for (const path of ['/', '/api/v1/open', '/api/v1/nothing', '/metrics']) {
      const { headers } = await hub.get(path, { origin: 'http://evil.example' })
      expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  test('bad bodies and unknown routes are answered in one shape', async () => {
    const post = (body: string, type = 'application/json') =>
      fetch(`${hub.address}/api/v1/events`, { method: 'POST', body, headers: { 'content-type': type } })
    expect(await errorOf(await post('{'))).toMatchObject({ status: 400, code: 'bad_input' })
    expect(await errorOf(await post('a=b', 'text/plain'))).toMatchObject({ status: 400, key: 'body' })
    expect(await errorOf(await post(`"${'x'.repeat(300_000)}"`))).toMatchObject({ status: 413, code: 'too_large' })
    expect(await errorOf(await hub.get('/api/v1/nothing'))).toMatchObject({ status: 404, code: 'not_found' })
    expect(await errorOf(await fetch(`${hub.address}/api/v1/requests`, { method: 'DELETE' }))).toMatchObject({ status: 404 })
  })
})

test('with a token every route but health needs it, and failures are counted', async () => {
  const token = 'a-token-of-enough-letters'
  const guarded = await startTestHub({ auth: { tokens: [token] } })
  try {
    for (const path of ['/', '/metrics', '/api/v1/open', '/api/v1/config', '/page.js']) expect((await guarded.get(path)).status).toBe(401)
    expect((await guarded.get('/api/v1/open', { authorization: 'Bearer wrong-token-of-letters' })).status).toBe(401)
    expect((await guarded.get('/healthz')).status).toBe(200)
    expect((await guarded.get('/readyz')).status).toBe(200)
    const authorization = `Bearer ${token}`
    const page = await (await guarded.get('/metrics', { authorization })).text()
    expect(page).toContain('longpole_auth_failures_total{component="api"} 6')
    const config = await (await guarded.get('/api/v1/config', { authorization })).text()
    expect(config).not.toContain(token)
  } finally {
    await guarded.close()
  }
})

test('metrics come in the format that was asked for', async () => {
  expect((await hub.get('/metrics')).headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const open = await hub.get('/metrics', { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' })
  expect(open.headers.get('content-type')).toContain('application/openmetrics-text; version=1.0.0')
  expect((await open.text()).endsWith('# EOF\n')).toBe(true)
})

describe('the first page', () => {
  test('says what to do next where there is nothing yet', async () => {
    const page = await (await hub.get('/live.html')).text()
    expect(page).toContain('No requests yet')
    expect(page).toContain('longpole doctor')
  })

  test('shows settled and open requests as waterfalls, hostile text as text', async () => {
    hub.live.settled({ ...makeRecord(1), model: '<script>alert(1)</script>', request_id: '"><img src=x onerror=alert(1)>' })
    hub.live.open(
      [
        {
          traceId: 'a'.repeat(32),
          spanId: 'b'.repeat(16),
          requestId: 'r',
          startUnixNano: 1n,
          observedUnixNano: 1n,
          ageSeconds: 4,
          phase: '<b>',
          columns: {},
        },
      ],
      [['ttft']],
    )
    const response = await hub.get('/')
    const page = await response.text()
    expect(page).toContain('4.00 s so far')
    expect(page).toContain('late: ttft')
    expect(page).toMatch(/<rect class="p-engine-admit [^>]*>/)
    expect(page).not.toMatch(/<script>alert|<img|<b>|style=/)
    expect((await hub.get('/page.js')).headers.get('content-type')).toContain('javascript')
    expect((await hub.get('/../package.json')).status).toBe(404)
  })

  test('live updates come as server-sent events', async () => {
    const stop = new AbortController()
    const response = await fetch(`${hub.address}/api/v1/stream`, { signal: stop.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('event: open')) text += (await reader.read()).value ?? ''
    expect(text).toContain('event: settled')
    hub.live.settled(makeRecord(777))
    while (!text.includes(makeRecord(777).record_id)) text += (await reader.read()).value ?? ''
    stop.abort()
  })
})

interface Layer {
  route?: { path: string; methods: Record<string, boolean> }
  handle: { stack?: Layer[] }
}

/** `get /requests/{id}` of every route below the API's prefix. */
function routesOf(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ route, handle }) => {
    if (route === undefined) return routesOf(handle.stack ?? [])
    return Object.keys(route.methods).map((method) => `${method} ${route.path.replace(/^\/api\/v1/, '').replaceAll(/:(\w+)/g, '{$1}')}`)
  })
}

test('the API describes itself: every route, and nothing that is none', async () => {
  const document = await json<{
    openapi: string
    paths: Record<string, object>
    components: { schemas: { Request: { properties: object } } }
  }>('/api/v1/openapi.json')
  expect(document.openapi).toBe('3.1.0')
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path.replace('/api/v1', '')}`),
  )
  const elsewhere = ['/metrics', '/healthz', '/readyz', '/', '/live.html', '/page.js', '/page.css', '/openapi.json'].map(
    (path) => `get ${path}`,
  )
  const routes = routesOf((createApi(hub.context).router as unknown as { stack: Layer[] }).stack).filter(
    (route) => !elsewhere.includes(route),
  )
  expect([...described].sort()).toEqual([...routes].sort())
  expect(Object.keys(document.components.schemas.Request.properties)).toContain('cached_tokens_by_tier')
})

test('a built console is served under any path, its base right for each, and nothing beside it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'longpole-console-'))
  mkdirSync(join(directory, 'assets'))
  writeFileSync(join(directory, 'index.html'), '<!doctype html><html><head><title>x</title></head></html>')
  writeFileSync(join(directory, 'assets', 'main-abc.js'), 'export {}')
  writeFileSync(join(directory, '..', 'longpole-beside.txt'), 'planted-text')
  const server = createServer(createApi({ ...hub.context, consoleDirectory: directory }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const get = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
  try {
    for (const [path, base] of [
      ['/', './'],
      ['/index.html', './'],
      ['/requests', './'],
      ['/requests/a%2Fb', '../'],
      ['/why/x/y', '../../'],
    ] as const) {
      expect(await (await get(path)).text()).toContain(`<head><base href="${base}">`)
    }
    const script = await get('/assets/main-abc.js')
    expect([script.headers.get('content-type'), script.headers.get('cache-control')]).toEqual([
      'text/javascript; charset=utf-8',
      expect.stringContaining('immutable'),
    ])
    expect((await get('/assets/other.js')).status).toBe(404)
    for (const path of ['/..%2flongpole-beside.txt', '/assets/..%2f..%2flongpole-beside.txt', '/%2e%2e/longpole-beside.txt']) {
      expect(await (await get(path)).text()).not.toContain('planted-text')
    }
    expect((await get('/api/v1/nothing')).status).toBe(404)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})
