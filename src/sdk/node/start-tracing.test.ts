import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { answerEvents, type LlmServer, sendEvents, startLlmServer } from '../testing/llm-server.ts'
import { VERSION } from '../version.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
interface SentSpan {
  name: string
  attributes: { key: string; value: { stringValue?: string } }[]
}

let llm: LlmServer
let bodies: { path: string; text: string }[]
let collector: ReturnType<typeof createServer>
let endpoint: string

beforeEach(async () => {
  bodies = []
  llm = await startLlmServer((response) => sendEvents(response, answerEvents()))
  collector = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      bodies.push({ path: request.url ?? '', text: Buffer.concat(parts).toString() })
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
})

afterEach(async () => {
  await llm.close()
  collector.close()
  collector.closeAllConnections()
})

function run(args: readonly string[], env: Record<string, string>): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const options = { cwd: ROOT, env: { PATH: process.env.PATH ?? '', ...env } }
    execFile(process.execPath, [...args], options, (error, stdout, stderr) =>
      error === null ? resolve({ stdout, stderr }) : reject(error),
    )
  })
}

const CALL = `const answer = await fetch(process.env.LLM + '/chat/completions', {
  method: 'POST', body: JSON.stringify({ model: 'tiny', stream: true, messages: [{ role: 'user', content: 'planted-prompt' }] }),
  headers: { authorization: 'Bearer planted-key' } })
console.log((await answer.text()).length)`

function sentSpans(): SentSpan[] {
  return bodies.flatMap(({ text }) => JSON.parse(text).resourceSpans[0].scopeSpans.flatMap((scope: { spans: SentSpan[] }) => scope.spans))
}

test('--import traces a program that was not changed, flushes when it ends, and prints its cost when asked', async () => {
  const args = ['--import', '@longpole/sdk/node/register', '--input-type=module', '-e', CALL]
  const { stdout, stderr } = await run(args, {
    LLM: llm.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_SERVICE_NAME: 'shop',
    LONGPOLE_OVERHEAD: '1',
  })
  expect(Number(stdout)).toBe(answerEvents().join('').length)
  expect(stderr).toMatch(/1 requests \(first \d+ µs\)/)
  expect(bodies[0]!.path).toBe('/v1/traces')
  expect(sentSpans().map((span) => span.name)).toEqual([
    'client.connect',
    'client.upload',
    'first_token.wait',
    'POST /v1/chat/completions',
    'chat tiny',
  ])
  expect(bodies[0]!.text).toContain('"shop"')
  expect(bodies[0]!.text).not.toContain('planted')
}, 30_000)

test('startTracing sends where it is told, and shutdown sends the rest', async () => {
  const program = `import { startTracing } from '@longpole/sdk/node'
import { instrumentFetch } from '@longpole/sdk'
const tracing = startTracing({ endpoint: process.env.WHERE + '/', serviceName: 'mine', flushOnExit: false })
globalThis.fetch = instrumentFetch(fetch)
${CALL}
await tracing.shutdown()
await tracing.shutdown()`
  await run(['--input-type=module', '-e', program], { LLM: llm.url, WHERE: endpoint })
  expect(sentSpans()).toHaveLength(5)
  expect(bodies[0]!.text).toContain('service.instance.id')
}, 30_000)

test('a program that is told to stop sends what it has and stops', async () => {
  const program = `import { startTracing } from '@longpole/sdk/node'
import { instrumentFetch } from '@longpole/sdk'
startTracing({ endpoint: process.env.WHERE })
globalThis.fetch = instrumentFetch(fetch)
setInterval(() => {}, 1000)
${CALL}
process.kill(process.pid, 'SIGTERM')`
  const stopped = run(['--input-type=module', '-e', program], { LLM: llm.url, WHERE: endpoint, OTEL_BSP_SCHEDULE_DELAY: '60000' })
  await expect(stopped).rejects.toMatchObject({ signal: 'SIGTERM' })
  expect(sentSpans()).toHaveLength(5)
}, 30_000)

test('a program that ends while nobody answers is held up for a few seconds only, and ends as it would', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const env = { LLM: llm.url, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` }
  const args = ['--import', '@longpole/sdk/node/register', '--input-type=module', '-e', `${CALL}; process.exitCode = 7`]
  await expect(run(args, env)).rejects.toMatchObject({ code: 7 })
  silent.closeAllConnections()
  silent.close()
}, 30_000)

test('an endpoint that is no address is told at once', async () => {
  const program = `import { startTracing } from '@longpole/sdk/node'
try { startTracing({ endpoint: 'localhost:4318' }) } catch (error) { console.log(error.message) }`
  const { stdout } = await run(['--input-type=module', '-e', program], {})
  expect(stdout).toContain('option endpoint: expected an http or https address, got "localhost:4318"')
}, 30_000)

test('the version of the instrumentation scope is the package version', () => {
  expect(VERSION).toBe(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version)
})
