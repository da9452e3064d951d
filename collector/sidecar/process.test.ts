import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { startTestEngine, startTestHub } from './test-hub.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/longpole.mjs', import.meta.url))
const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

function start(args: string[], execArgv: string[] = []) {
  const child = spawn(process.execPath, [...execArgv, LAUNCHER, 'sidecar', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  open.push({ close: () => child.kill('SIGKILL') })
  let stderr = ''
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, exit, stderr: () => stderr }
}

/** The line that --json prints once everything listens. */
function ports(child: ChildProcess): Promise<{ proxy: number; admin: number }> {
  return new Promise((resolve) => child.stdout?.once('data', (data) => resolve(JSON.parse(String(data)))))
}

test('it loads neither the store nor a web framework, proxies soon, stays small, and drains on SIGTERM', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'longpole-modules-'))
  const list = join(directory, 'modules.txt')
  const hook = join(directory, 'hook.mjs')
  writeFileSync(
    hook,
    `import { appendFileSync } from 'node:fs'
     import { registerHooks } from 'node:module'
     registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context) } })`,
  )
  let finish: () => void = () => {}
  const engine = await startTestEngine((request, response) => {
    if (request.url !== '/v1/chat/completions') {
      response.end('{}')
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
    finish = () => response.end('data: [DONE]\n\n')
  })
  const hub = await startTestHub()
  open.push(engine, hub)
  const startedMs = performance.now()
  const args = ['--upstream', engine.url, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--hub', hub.url, '--json']
  const { child, exit, stderr } = start(args, ['--import', hook])
  const { proxy, admin } = await ports(child)
  expect((await fetch(`http://127.0.0.1:${proxy}/v1/models`)).status).toBe(200)
  const readyMs = performance.now() - startedMs
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024
  console.log(`sidecar: proxied ${readyMs.toFixed(0)} ms after the command, ${rssMb.toFixed(0)} MB resident`)
  const modules = readFileSync(list, 'utf8')
  expect(modules).toContain('telemetry-worker.ts')
  expect(modules).toContain('receivers/proxy/proxy.ts')
  for (const heavy of [
    'chdb',
    'express',
    'apache-arrow',
    '@clickhouse',
    '@opentelemetry',
    '@grpc',
    'zod',
    'collector/store',
    'collector/hub',
  ]) {
    expect(modules).not.toContain(`/${heavy}`)
  }
  const response = await fetch(`http://127.0.0.1:${proxy}/v1/chat/completions`, { method: 'POST', body: '{"stream":true}' })
  child.kill('SIGTERM')
  await expect.poll(async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).status).toBe(503)
  finish()
  expect(await response.text()).toContain('[DONE]')
  expect(await exit).toBe(0)
  expect(hub.spans().length).toBeGreaterThanOrEqual(2)
  expect(stderr()).toContain('SIGTERM: draining 1 open requests')
}, 60_000)

test.each([
  [['--listen', '127.0.0.1:0'], "required option '--upstream <url>' not specified"],
  [['--upstream', 'engine:8000', '--listen', '127.0.0.1:0'], '--upstream: expected an http:// or https:// address, got "engine:8000"'],
  [
    ['--upstream', 'http://a', '--listen', '8001'],
    '--listen: expected HOST:PORT, for example 127.0.0.1:8001 (port 0 takes a free one), got "8001"',
  ],
  [['--upstream', 'http://a', '--listen', 'a:1', '--otlp-http', '0.0.0.0:4318'], '--otlp-http: expected a loopback address'],
  [['--upstream', 'http://a', '--listen', 'a:1', '--drain', 'soon'], '--drain: expected seconds from 0 to 86400, got "soon"'],
  [['--upstream', 'http://user:planted@a', '--listen', 'a:1'], '--upstream: expected an address without user and password'],
])('bad input %j: status 2 and what was expected', async (args, message) => {
  const { exit, stderr } = start(args)
  expect(await exit).toBe(2)
  expect(stderr()).toContain(message)
  expect(stderr()).not.toContain('planted')
})

test('a request that is served before the telemetry has started, and SIGTERM at once: its spans arrive all the same', async () => {
  const engine = await startTestEngine((_request, response) => response.end('{}'))
  const hub = await startTestHub()
  open.push(engine, hub)
  // A free port: --json would tell it only once everything has started.
  const probe = await startTestHub()
  await probe.close()
  const port = Number(new URL(probe.url).port)
  const { child, exit } = start([
    '--upstream',
    engine.url,
    '--listen',
    `127.0.0.1:${port}`,
    '--admin',
    '127.0.0.1:0',
    '--hub',
    hub.url,
    '--no-scrape',
  ])
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body: '{}' }).then((response) => response.status)
  await expect.poll(() => ask().catch(() => 0), { interval: 5, timeout: 20_000 }).toBe(200)
  child.kill('SIGTERM')
  expect(await exit).toBe(0)
  expect(hub.spans()).toHaveLength(2)
}, 60_000)
