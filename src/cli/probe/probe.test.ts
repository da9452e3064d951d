import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { probe } from './probe.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(answer: (response: ServerResponse, headers: Record<string, unknown>, body: string) => void) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (text) => {
      body += text
    })
    request.on('end', () => answer(response, request.headers, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const target = (url: string, change = {}) => ({ url, model: 'm', apiKey: null, timeoutSeconds: 5, ...change })
const event = (delta: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`

test('a request is marked synthetic and ends when its stream ends; a role alone is no token', async () => {
  let seen: Record<string, unknown> = {}
  let asked = ''
  const url = await serve((response, headers, body) => {
    seen = headers
    asked = body
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event({ role: 'assistant', content: '' }))
    response.write(event({ content: 'ok' }))
    response.end('data: [DONE]\n\n')
  })
  const result = await probe(fetch, target(url, { apiKey: 'secret' }))
  expect(result).toMatchObject({ model: 'm', ok: true, failure: null })
  expect(result.ttftSeconds).toBeGreaterThan(0)
  expect(seen['x-longpole-synthetic']).toBe('1')
  expect(seen.authorization).toBe('Bearer secret')
  expect(JSON.parse(asked)).toMatchObject({ model: 'm', stream: true })
})

test('an address that already ends in /v1 is taken as it is', async () => {
  const url = await serve((response) => response.end(event({ reasoning_content: 'hm' })))
  expect(await probe(fetch, target(`${url}/v1/`))).toMatchObject({ ok: true })
})

test.each([
  ['an error status', (response: ServerResponse) => response.writeHead(503).end('no'), 'http_503'],
  ['a stream without a token', (response: ServerResponse) => response.end(`${event({ role: 'assistant' })}data: [DONE]\n\n`), 'no_token'],
  ['a connection that is cut', (response: ServerResponse) => response.destroy(), 'connection'],
] as const)('%s is a failure with its reason', async (_title, answer, failure) => {
  const url = await serve((response) => void answer(response))
  expect(await probe(fetch, target(url))).toMatchObject({ ok: false, failure, ttftSeconds: null })
})

test('a server that hangs is a timeout', async () => {
  const url = await serve(() => {})
  expect(await probe(fetch, target(url, { timeoutSeconds: 0.2 }))).toMatchObject({ ok: false, failure: 'timeout' })
})

test('nobody listening is a failed connection', async () => {
  expect(await probe(fetch, target('http://127.0.0.1:9'))).toMatchObject({ ok: false, failure: 'connection' })
})
