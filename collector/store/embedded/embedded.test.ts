// The store process as a thing that can be killed, orphaned, locked out and overloaded.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSpans } from '../conformance-data.ts'
import { createStore, type StoreConfig } from '../create-store.ts'
import { type Store, StoreUnavailable } from '../store.ts'
import { launchEmbedded } from './launch.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-embedded-'))
const config: StoreConfig = {
  data: join(directory, 'main'),
  url: null,
  database: '',
  user: '',
  password: '',
  retentionDays: 36_500,
  retentionBytes: 1e9,
  memoryBytes: 1e9,
  querySeconds: 2,
  fsync: false,
}
const troubles: string[] = []
let store: Store

beforeAll(async () => {
  store = await createStore(config, { onTrouble: (message) => troubles.push(message) })
})
afterAll(async () => {
  await store?.close()
  rmSync(directory, { recursive: true, force: true })
})

async function pidOfStore(): Promise<number> {
  const { readFileSync } = await import('node:fs')
  const status = readFileSync(join(config.data, 'chdb', 'status'), 'utf8')
  return Number(/^PID: (\d+)/m.exec(status)?.[1])
}

test('killed in the middle of inserts it is back at once, and what was acknowledged is there', async () => {
  const acknowledged = new Set<string>()
  let seed = 1_000
  for (let round = 0; round < 3; round++) {
    const pid = await pidOfStore()
    const writers = Array.from({ length: 4 }, async () => {
      for (let count = 0; count < 20; count++) {
        const spans = makeSpans(30, { seed: seed++ })
        try {
          await store.insertSpans(spans)
        } catch (error) {
          expect(error).toBeInstanceOf(StoreUnavailable)
          return
        }
        for (const { span } of spans) acknowledged.add(`${span.traceId}${span.spanId}`)
        if (count === 4) {
          try {
            process.kill(pid, 'SIGKILL')
          } catch {
            // Another writer was first.
          }
        }
      }
    })
    await Promise.all(writers)
    for (let tries = 0; !(await store.ready()); tries++) {
      expect(tries).toBeLessThan(2_000)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const rows = await store.query<{ id: string }>('SELECT DISTINCT concat(trace_id, span_id) AS id FROM spans')
  const stored = new Set(rows.map((row) => row.id))
  expect(acknowledged.size).toBeGreaterThan(300)
  expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([])
  expect(troubles.filter((trouble) => trouble.includes('SIGKILL'))).toHaveLength(3)
})

test('a second hub on the same directory is told who has it', async () => {
  await expect(launchEmbedded({ data: config.data, memoryBytes: 1e9 })).rejects.toThrow(
    `data directory ${config.data} is in use by process ${await pidOfStore()}: stop it, or give this one another directory (store.data)`,
  )
  expect(await store.ready()).toBe(true)
})

test('a query that takes too long or needs too much memory is refused; the others go on', async () => {
  const slow = store.query('SELECT sleepEachRow(1) FROM numbers(10)')
  const quick = store.query('SELECT 1 AS one')
  expect(await quick).toEqual([{ one: 1 }])
  await expect(slow).rejects.toThrow(StoreUnavailable)
  await expect(store.query('SELECT groupArray(number) AS all FROM numbers(200000000)')).rejects.toThrow(StoreUnavailable)
  expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test('a reader that goes away ends its query and leaves the connection to others', async () => {
  const streams = await Promise.all(
    Array.from({ length: 3 }, () =>
      store.export('SELECT number, randomPrintableASCII(100) AS text FROM numbers(1000000000)', 'JSONEachRow'),
    ),
  )
  for (const stream of streams) {
    await once(stream, 'readable')
    stream.destroy()
  }
  expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test('it ends when its hub is killed, and the directory is free again', async () => {
  const data = join(directory, 'orphan')
  const launcher = `const { launchEmbedded } = await import(${JSON.stringify(new URL('./launch.ts', import.meta.url).href)})
    const store = await launchEmbedded({ data: process.argv[1], memoryBytes: 1e9 })
    process.send(store.pid())`
  const parent = fork(fileURLToPath(new URL('./launch.ts', import.meta.url)), [], {
    execPath: process.execPath,
    execArgv: ['--input-type=module', '--eval', launcher, data],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [pid] = (await once(parent, 'message')) as [number]
  parent.kill('SIGKILL')
  for (let tries = 0; isAlive(pid); tries++) {
    expect(tries).toBeLessThan(2_000)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const again = await launchEmbedded({ data, memoryBytes: 1e9 })
  await again.close()
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('streamed reads that are broken off, at whatever moment, do not keep later ones waiting', async () => {
  const flowing = "SELECT number, repeat('x', 200) AS text FROM numbers(3000000)"
  const slow = 'SELECT number, sleepEachRow(0.2) AS slept FROM numbers(50) SETTINGS max_block_size = 1'
  for (let round = 0; round < 8; round++) {
    const stream = await store.export(round % 2 === 0 ? flowing : slow, 'JSONEachRow')
    stream.on('error', () => {})
    await once(stream, 'data')
    // A flowing one stands still because nobody reads; of a slow one the next chunk is just being made.
    stream.pause()
    for (let turn = 0; turn < 5; turn++) await store.ready()
    stream.destroy()
  }
  const answers = await Promise.all(Array.from({ length: 6 }, () => store.query<{ one: number }>('SELECT 1 AS one')))
  expect(answers).toEqual(Array.from({ length: 6 }, () => [{ one: 1 }]))
}, 30_000)
