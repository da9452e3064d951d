import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeMetrics } from '../../wire/otlp/decode-metrics.ts'
import { encodeTraces } from '../../wire/otlp/encode.ts'
import { InputError } from '../input-error.ts'
import { findCaptureFiles, readOtlpBody, readPage } from './capture.ts'
import { readExchange } from './exchange.ts'
import { encodeSamples } from './otlp-client.ts'
import { EXCHANGE_HEADER, startPlaybackServer } from './playback-server.ts'

const root = mkdtempSync(join(tmpdir(), 'longpole-replay-'))
afterAll(() => rmSync(root, { recursive: true }))

const write = (name: string, content: string | Uint8Array) => {
  const file = join(root, name)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, content)
  return file
}

const span = {
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
  resource: {},
  scopeName: 's',
  scopeVersion: '',
}

const head = {
  request: { method: 'POST', path: '/v1/chat/completions', headers: { 'x-request-id': 'r' }, body: { stream: true } },
  response: {
    status_line: 'HTTP/1.1 200 OK',
    headers: [
      ['content-type', 'text/event-stream'],
      ['x-twice', '1'],
      ['x-twice', '2'],
      ['transfer-encoding', 'chunked'],
    ],
  },
  start_unix_ns: 1_795_320_210_996_348_200,
  sent_ms: 5,
  headers_ms: 6,
  end_ms: 9,
  aborted_ms: null,
}
const lines = (first: object) =>
  [first, { t_ms: 7, bytes: 'data: a\n\n' }, { t_ms: 8, bytes: 'data: é\n\n' }].map((line) => JSON.stringify(line)).join('\n')

describe('files of a capture', () => {
  beforeAll(() => {
    write('c/otlp/otlp-01.bin', encodeTraces([span]))
    write('c/otlp/otlp-01.json', '{"resourceSpans":[]}')
    write('c/otlp/otlp-02.json', '{"resourceLogs":[]}')
    write('c/otlp/index.json', '[{"name":"x"}]')
    write('c/otlp/broken.bin', 'no protobuf at all')
    write('c/metrics/metrics-idle.prom', 'vllm:num_requests_running{engine="0"} 3\n')
    write('c/metrics/notes.prom', 'x 1\n')
    write('c/stream.sse.jsonl', lines(head))
  })

  test('each kind is found in any folder; JSON only where no protobuf of that name stands beside it', () => {
    const files = findCaptureFiles(join(root, 'c'))
    const names = (list: string[]) => list.map((file) => file.slice(root.length + 3))
    expect(names(files.otlp)).toEqual(['otlp/broken.bin', 'otlp/index.json', 'otlp/otlp-01.bin', 'otlp/otlp-02.json'])
    expect(names(files.pages)).toEqual(['metrics/metrics-idle.prom'])
    expect(names(files.exchanges)).toEqual(['stream.sse.jsonl'])
  })

  test('a body tells its signal by what stands inside; other files are none', () => {
    expect(readOtlpBody(join(root, 'c/otlp/otlp-01.bin'))).toMatchObject({ signal: 'traces', contentType: 'application/x-protobuf' })
    expect(readOtlpBody(join(root, 'c/otlp/otlp-02.json'))).toMatchObject({ signal: 'logs', contentType: 'application/json' })
    expect(readOtlpBody(join(root, 'c/otlp/index.json'))).toBeNull()
    expect(readOtlpBody(join(root, 'c/otlp/broken.bin'))).toBeNull()
  })

  test('a page names its folder and itself, and becomes points of the sample metric', () => {
    const page = readPage(join(root, 'c'), join(root, 'c/metrics/metrics-idle.prom'))
    expect(page.replica).toBe('c/metrics/idle')
    const sample = { unix_ns: 5n, up: true, replica: page.replica, running: 3, rank: '0' }
    const [metric] = decodeMetrics(encodeSamples([{ ...emptyNumbers(), ...sample } as never])).metrics
    const points = metric!.data.type === 'gauge' ? metric!.data.points : []
    expect(points.map(({ attributes, value }) => [attributes['longpole.sample.field'], value])).toEqual([
      ['up', 1],
      ['running', 3],
    ])
    expect(points[0]!.attributes).toMatchObject({ 'longpole.replica': 'c/metrics/idle', 'longpole.rank': '0' })
  })

  test('a directory that is none is bad input', () => {
    expect(() => findCaptureFiles(join(root, 'nowhere'))).toThrow(InputError)
  })
})

function emptyNumbers(): Record<string, null> {
  const names = [
    'cluster',
    'region',
    'model',
    'pool',
    'rank',
    'engine',
    'engine_version',
    'waiting',
    'kv_usage',
    'step_seconds',
    'age_seconds',
  ]
  const rates = ['prompt_tokens', 'cached_tokens', 'output_tokens', 'requests', 'preemptions', 'drafted', 'accepted']
  const others = ['expert_load_ratio', 'gpu_clock_hz', 'nic_receive_bytes_per_second', 'nic_transmit_bytes_per_second']
  return Object.fromEntries([...names, ...others, ...rates.map((name) => `${name}_per_second`)].map((name) => [name, null]))
}

describe('exchanges', () => {
  test('moments count from the request’s last byte', () => {
    expect(readExchange(write('e/a.sse.jsonl', lines(head)))).toMatchObject({
      status: 200,
      headersMs: 1,
      endMs: 4,
      abortedMs: null,
      chunks: [
        { atMs: 2, bytes: 'data: a\n\n' },
        { atMs: 3, bytes: 'data: é\n\n' },
      ],
    })
  })

  test('the other layout, with its moments in the response, is read too', () => {
    const other = { request: head.request, response: { status: 429, reason: 'x', headers: [], t_headers_ms: 3, t_end_ms: 12 } }
    expect(readExchange(write('e/b.sse.jsonl', lines(other)))).toMatchObject({ status: 429, headersMs: 3, endMs: 12, startUnixMs: null })
  })

  test.each([
    ['not JSON', 'nonsense', /:1: expected a JSON object/],
    ['no request', '{}', /:1: request/],
    ['a bad chunk', `${JSON.stringify(head)}\n{"t_ms":"x"}`, /:2: t_ms/],
  ])('%s is bad input that names file and line', (_, text, message) => {
    expect(() => readExchange(write('e/bad.sse.jsonl', text))).toThrow(message)
  })

  test('the playback server answers with the recorded status, headers and bytes, and 404 for others', async () => {
    const server = await startPlaybackServer([readExchange(write('e/c.sse.jsonl', lines(head)))])
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers: { [EXCHANGE_HEADER]: '0' }, body: '{}' })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-twice')).toBe('1, 2')
    expect(await response.text()).toBe('data: a\n\ndata: é\n\n')
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
    await server.close()
  })
})
