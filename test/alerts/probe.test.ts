// `longpole probe` as a person starts it, against a real hub: its requests are counted for themselves and are in no objective.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { METRICS } from '@longpole/model/conventions/metrics'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hub, startHub } from '../../collector/hub/main.ts'
import { loadConfig } from '../../src/config/load.ts'
import { answerEvents, type LlmServer, sendEvents, startLlmServer } from '../../src/sdk/testing/llm-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-probe-'))
const run = promisify(execFile)
let hub: Hub
let server: LlmServer

beforeAll(async () => {
  const config = loadConfig({
    environment: {},
    overrides: {
      listen: { api: '127.0.0.1:0', otlpHttp: '127.0.0.1:0', otlpGrpc: '127.0.0.1:0' },
      store: { data: join(directory, 'data') },
      settle: { afterSeconds: 0.2, withoutClientSeconds: 0.4 },
    },
  })
  hub = await startHub({ config, version: 'test' })
  server = await startLlmServer((response, call) => {
    if (call === 1) sendEvents(response, answerEvents())
    else response.writeHead(503).end()
  })
})

afterAll(async () => {
  await hub?.close()
  await server?.close()
  rmSync(directory, { recursive: true, force: true })
})

async function page(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${hub.ports.api}/metrics`)).text()
}

async function probeOnce(): Promise<{ stdout: string; code: number }> {
  const args = [
    'bin/longpole.mjs',
    'probe',
    '--once',
    '--json',
    '--model',
    'quiet',
    '--url',
    server.url,
    '--otlp',
    `http://127.0.0.1:${hub.ports.otlpHttp}`,
  ]
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_')))
  return run(process.execPath, args, { env: environment }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    ({ stdout, code }: { stdout: string; code: number }) => ({ stdout, code }),
  )
}

test('a good and a failed probe are counted as such, and no objective counts them', { timeout: 60_000 }, async () => {
  const good = await probeOnce()
  expect(JSON.parse(good.stdout)).toMatchObject({ model: 'quiet', ok: true })
  expect(good.code).toBe(0)
  const failed = await probeOnce()
  expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false, failure: 'http_503' })
  expect(failed.code).toBe(1)

  const { name } = METRICS.probeRequestsTotal
  await expect.poll(page, { timeout: 20_000 }).toMatch(new RegExp(`${name}\\{[^}]*result="bad"[^}]*\\} 1`))
  const text = await page()
  expect(text).toMatch(new RegExp(`${name}\\{[^}]*result="good"[^}]*\\} 1`))
  const counted = text
    .split('\n')
    .filter((line) => line.startsWith(`${METRICS.sloRequestsTotal.name}{`) || line.startsWith(`${METRICS.requestsTotal.name}{`))
  expect(counted).toEqual([])
  expect(server.seen.every(({ headers }) => headers['x-longpole-synthetic'] === '1')).toBe(true)
})
