import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, test } from 'vitest'
import { decodeTracesJson } from '../../../src/wire/otlp/decode-json.ts'
import type { Store } from '../../store/store.ts'
import { startHubTracing } from './tracing.ts'

const SETTINGS = { sampleRatio: 1 }

test('nothing is started without an endpoint, and the own receiver is refused by name', async () => {
  expect(await startHubTracing({ ...SETTINGS, endpoint: null }, '127.0.0.1:4318', 'test')).toBeNull()
  await expect(startHubTracing({ ...SETTINGS, endpoint: 'http://127.0.0.1:4318/' }, '127.0.0.1:4318', 'test')).rejects.toThrow(
    "tracing.endpoint: expected another receiver than this hub's own (listen.otlpHttp), got http://127.0.0.1:4318/",
  )
})

test('a request to the API is a trace of its route and the questions it put to the store, without what was asked', async () => {
  const bodies: Buffer[] = []
  const receiver = createServer(async (request, response) => {
    for await (const part of request) bodies.push(part as Buffer)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const tracing = (await startHubTracing({ ...SETTINGS, endpoint }, '127.0.0.1:4318', 'test'))!
  const store = tracing.store({
    query: async (sql: string) => {
      if (sql === 'planted-query') throw new RangeError('planted-message')
      return []
    },
  } as unknown as Store)
  const app = express()
  app.use(tracing.requests)
  app.get('/api/v1/requests/:id', async (_, response) => {
    await store.query('SELECT 1')
    await store.query('planted-query').catch(() => {})
    response.json({})
  })
  const api = app.listen(0, '127.0.0.1')
  await once(api, 'listening')
  await (await fetch(`http://127.0.0.1:${(api.address() as AddressInfo).port}/api/v1/requests/planted-id?q=planted-query`)).text()
  await new Promise((resolve) => api.close(resolve))
  await tracing.close()
  receiver.close()

  const text = Buffer.concat(bodies).toString()
  expect(text).not.toContain('planted')
  const { spans } = decodeTracesJson(Buffer.concat(bodies))
  const server = spans.find(({ kind }) => kind === 2)!
  expect(server.name).toBe('GET /api/v1/requests/:id')
  expect(server.attributes['http.response.status_code']).toBe(200)
  const [asked, failed] = spans.filter(({ name }) => name === 'store.query')
  expect([asked!.parentSpanId, failed!.parentSpanId]).toEqual([server.spanId, server.spanId])
  expect([asked!.statusCode, failed!.statusCode, failed!.attributes['error.type']]).toEqual([0, 2, 'RangeError'])
})
