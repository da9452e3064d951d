// How a store that is full, slow, wrong or away looks to the hub. A server of our own says what ClickHouse says then.
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClickHouseError } from '@clickhouse/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStoreClient, type StoreClient } from './client.ts'
import { StoreUnavailable } from './store.ts'

let server: Server
let client: StoreClient
let answer: (response: ServerResponse) => void = (response) => response.end()

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => answer(response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  client = createStoreClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, querySeconds: 5 })
})
afterAll(async () => {
  await client?.close()
  server?.close()
})

function refuse(code: number, type: string): void {
  answer = (response) => {
    response.statusCode = 500
    response.end(`Code: ${code}. DB::Exception: something is wrong. (${type})`)
  }
}

const insert = () => client.insert('INSERT INTO spans (trace_id)', 'ArrowStream', new Uint8Array(8))

test.each([
  [243, 'NOT_ENOUGH_SPACE'],
  [241, 'MEMORY_LIMIT_EXCEEDED'],
  [252, 'TOO_MANY_PARTS'],
  [159, 'TIMEOUT_EXCEEDED'],
])('an insert refused with %i %s is "not now": nothing is acknowledged, the sender comes again', async (code, type) => {
  refuse(code, type)
  await expect(insert()).rejects.toThrow(StoreUnavailable)
  await expect(client.rows('SELECT 1')).rejects.toThrow(StoreUnavailable)
})

test('a statement that is wrong is our own mistake and no reason to wait', async () => {
  refuse(62, 'SYNTAX_ERROR')
  await expect(client.rows('SELEC 1')).rejects.toThrow(ClickHouseError)
})

test('an answer that breaks off is no answer', async () => {
  answer = (response) => {
    response.write('{"a":1}\n')
    setImmediate(() => response.destroy())
  }
  await expect(client.bytes('SELECT 1', 'JSONEachRow')).rejects.toThrow(StoreUnavailable)
  const stream = await client.stream('SELECT 1', 'JSONEachRow')
  await expect(stream.toArray()).rejects.toThrow()
})

test('a store that is away does not answer its ping', async () => {
  const away = createStoreClient({ url: 'http://127.0.0.1:9', querySeconds: 5 })
  expect(await away.ping()).toBe(false)
  await expect(away.rows('SELECT 1')).rejects.toThrow(StoreUnavailable)
  await away.close()
})
