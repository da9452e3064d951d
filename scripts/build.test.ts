import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackages } from './build.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'longpole-build-'))
const modules = join(folder, 'node_modules')

// As a stranger's project: the built packages and what they ask for, nothing of this repository.
beforeAll(() => {
  mkdirSync(join(modules, '@longpole'), { recursive: true })
  buildPackages(join(folder, 'built'))
  for (const name of ['model', 'sdk']) symlinkSync(join(folder, 'built', name), join(modules, '@longpole', name))
  symlinkSync(join(ROOT, 'node_modules/@opentelemetry'), join(modules, '@opentelemetry'))
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PROGRAM = `
import { createServer } from 'node:http'
import { instrumentFetch, overhead } from '@longpole/sdk'
import { PHASES } from '@longpole/model/phase'
import { METRICS } from '@longpole/model/conventions/metrics'
const ended = []
const span = (name) => ({ setAttribute() {}, setAttributes() {}, setStatus() {}, end: () => ended.push(name), isRecording: () => true,
  spanContext: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }) })
const tracerProvider = { getTracer: () => ({ startSpan: span }) }
const server = createServer((request, response) => {
  request.resume()
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end('data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}\\n\\ndata: [DONE]\\n\\n')
})
server.listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port + '/v1/chat/completions'
  const response = await instrumentFetch(fetch, { tracerProvider })(url, { method: 'POST', body: '{"model":"m","stream":true}' })
  await response.text()
  server.close()
  server.closeAllConnections()
  console.log(JSON.stringify({ ended, failures: overhead().failures, phases: PHASES.length, metrics: typeof METRICS }))
})`

/** Node of this run without type stripping, and the machine's own node where it is another. */
const nodes = [
  { name: 'this Node without type stripping', path: process.execPath, args: ['--no-experimental-strip-types'] },
  { name: "the machine's node", path: 'node', args: [] },
]

test.each(nodes)('the built SDK times a stream on $name', ({ path, args }) => {
  const file = join(folder, 'program.mjs')
  writeFileSync(file, PROGRAM)
  const answer = JSON.parse(execFileSync(path, [...args, file], { encoding: 'utf8', env: { PATH: '/usr/local/bin:/usr/bin:/bin' } }))
  expect(answer.ended).toEqual(['client.connect', 'client.upload', 'first_token.wait', 'POST /v1/chat/completions', 'chat m'])
  expect(answer).toMatchObject({ failures: 0, metrics: 'object' })
})

test('declarations and entries are there, tests are not', () => {
  const manifest = JSON.parse(readFileSync(join(folder, 'built/sdk/package.json'), 'utf8'))
  for (const { types, default: code } of Object.values<{ types: string; default: string }>(manifest.exports)) {
    expect(readFileSync(join(folder, 'built/sdk', types), 'utf8').length).toBeGreaterThan(0)
    expect(readFileSync(join(folder, 'built/sdk', code), 'utf8')).not.toMatch(/from '\.[^']*\.ts'/)
  }
  const files = execFileSync('find', [`${folder}/built`, '-name', '*.test.*', '-o', '-name', 'testing'], { encoding: 'utf8' })
  expect(files).toBe('')
})
