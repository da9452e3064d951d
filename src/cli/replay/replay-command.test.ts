import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ApiRequest } from '@longpole/model/api'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Hub, startHub } from '../../../collector/hub/main.ts'
import { loadConfig } from '../../config/load.ts'
import { readLines } from '../../engines/contract-test.ts'
import { createCommand } from '../commands/replay.ts'

const FIXTURES = new URL('../../engines/vllm/fixtures/', import.meta.url)
const fixture = (name: string) => fileURLToPath(new URL(name, FIXTURES))
const directory = mkdtempSync(join(tmpdir(), 'longpole-replay-hub-'))
const captures = join(directory, 'captures')
let hub: Hub

interface ClientTruth {
  trace_id: string
  status: number
  group: string
  metrics: { queue_time_ms: number; time_to_first_token_ms: number; generation_time_ms: number } | null
}

const EXCHANGE = {
  request: {
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', 'x-request-id': 'played-1', traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` },
    body: { model: 'tiny', stream: true, messages: [] },
  },
  response: { status: 200, headers: [['content-type', 'text/event-stream']], t_headers_ms: 5, t_end_ms: 60 },
}
const CHUNKS = [
  { t_ms: 20, bytes: 'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n' },
  { t_ms: 40, bytes: 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n' },
  { t_ms: 55, bytes: 'data: {"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n' },
]

beforeAll(async () => {
  mkdirSync(captures, { recursive: true })
  for (const name of ['truth-0.32.0.bin', 'metrics-loaded-0.32.0.prom']) cpSync(fixture(name), join(captures, name))
  writeFileSync(join(captures, 'one.sse.jsonl'), [EXCHANGE, ...CHUNKS].map((line) => JSON.stringify(line)).join('\n'))
  writeFileSync(join(captures, 'broken.sse.jsonl'), '{}')
  const config = loadConfig({
    environment: {},
    overrides: {
      listen: { api: '127.0.0.1:0', otlpHttp: '127.0.0.1:0', otlpGrpc: '127.0.0.1:0' },
      store: { data: join(directory, 'data') },
      settle: { afterSeconds: 0.2, withoutClientSeconds: 0.4 },
    },
  })
  hub = await startHub({ config, version: 'test' })
})
afterAll(async () => {
  await hub.close()
  rmSync(directory, { recursive: true, force: true })
})

async function records(): Promise<ApiRequest[]> {
  const response = await fetch(`http://127.0.0.1:${hub.ports.api}/api/v1/requests?limit=1000`)
  return ((await response.json()) as { items: ApiRequest[] }).items
}

describe('longpole replay', () => {
  test('recorded spans, a page and an exchange become records that agree with what the clients saw', async () => {
    const written: string[] = []
    const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
    await createCommand().parseAsync([captures, '--hub', `http://127.0.0.1:${hub.ports.otlpHttp}`, '--json'], { from: 'user' })
    stdout.mockRestore()
    expect(JSON.parse(written.join(''))).toMatchObject({
      bodies: { sent: 1, refused: [] },
      pages: { sent: 1, refused: [] },
      exchanges: { played: 1, failed: [{ file: join(captures, 'broken.sse.jsonl') }] },
    })
    expect(process.exitCode).toBe(1)
    process.exitCode = 0

    const truth = readLines<ClientTruth>(new URL('truth-0.32.0.jsonl', FIXTURES)).filter(
      ({ group, status }) => group !== 'abort' && status === 200,
    )
    const isThere = async () => {
      const found = await records()
      expect(found).toHaveLength(truth.length + 1)
      expect(found.find(({ request_id }) => request_id === 'played-1')?.joined).toEqual(['client', 'sidecar'])
    }
    await vi.waitFor(isThere, { timeout: 20_000, interval: 100 })
    const byTrace = new Map((await records()).map((record) => [record.trace_id, record]))
    for (const { trace_id, metrics } of truth) {
      const record = byTrace.get(trace_id)!
      const seconds = (phase: string) => record.phases.find((entry) => entry.phase === phase)?.seconds
      expect(record.phases.reduce((sum, entry) => sum + entry.seconds, 0)).toBeCloseTo(record.e2e!, 6)
      if (metrics === null) continue
      expect(seconds('engine.queue')).toBeCloseTo(metrics.queue_time_ms / 1000, 6)
      expect(seconds('engine.prefill')).toBeCloseTo(metrics.time_to_first_token_ms / 1000, 6)
      expect(seconds('engine.decode')).toBeCloseTo(metrics.generation_time_ms / 1000, 6)
    }
    const played = byTrace.get('ab'.repeat(16))!
    expect(played).toMatchObject({ request_id: 'played-1', outcome: 'ok', finish_reason: 'stop' })
    expect(played.ttft!).toBeGreaterThanOrEqual(0.039)
  })

  test('a hub that does not answer is bad input', async () => {
    const replay = createCommand().parseAsync([captures, '--hub', 'http://127.0.0.1:9'], { from: 'user' })
    await expect(replay).rejects.toThrow(/--hub http:\/\/127\.0\.0\.1:9: expected an OTLP receiver/)
  })

  test.each([
    ['a directory without captures', () => [mkdtempSync(join(directory, 'empty-')), '--hub', 'http://127.0.0.1:9'], /expected \*\.bin/],
    ['an address that is none', () => [captures, '--hub', 'localhost'], /--hub: expected an http or https address/],
  ])('%s is bad input', async (_, args, message) => {
    await expect(createCommand().parseAsync(args(), { from: 'user' })).rejects.toThrow(message)
  })
})
