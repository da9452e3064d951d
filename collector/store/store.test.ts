import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { describeStore } from './conformance.ts'
import { createStore, type StoreConfig } from './create-store.ts'
import { launchEmbedded } from './embedded/launch.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-store-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const config: StoreConfig = {
  data: join(directory, 'embedded'),
  url: null,
  database: 'longpole_test',
  user: 'default',
  password: '',
  retentionDays: 36_500,
  retentionBytes: 1e9,
  memoryBytes: 1e9,
  querySeconds: 20,
  fsync: false,
}

describeStore('the embedded store', () => createStore(config, { onTrouble: (message) => console.error(message) }))

const url = process.env.LONGPOLE_TEST_STORE_URL
if (url !== undefined) describeStore(`the store at ${url}`, () => createStore({ ...config, url }))

/** A TCP port that leads to a unix socket: the store process then looks like any server that is reached by URL. */
async function forward(socket: string): Promise<Server> {
  const server = createServer((incoming) => {
    const outgoing = connect(socket)
    incoming.pipe(outgoing).pipe(incoming)
    incoming.on('error', () => outgoing.destroy())
    outgoing.on('error', () => incoming.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

test('a store by URL is the same path; one that is away is named by its key', async () => {
  const embedded = await launchEmbedded({ data: join(directory, 'server'), memoryBytes: 1e9 })
  const server = await forward(embedded.socket)
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = await createStore({ ...config, url: address, user: 'me', password: 'secret' })
  try {
    expect(await store.query('SELECT {a:UInt8} AS a', { a: 7 })).toEqual([{ a: 7 }])
    expect((await store.usage()).freeRatio).toBeGreaterThan(0)
  } finally {
    await store.close()
    server.close()
    await embedded.close()
  }
  await expect(createStore({ ...config, url: 'http://127.0.0.1:9' })).rejects.toThrow(
    'the store at http://127.0.0.1:9 (store.url) cannot be used',
  )
})
