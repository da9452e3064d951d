// A store with as many requests as are wanted: some hours of a simulated fleet, and copies of them as other fleets' traffic.
import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RecordBatch, RecordBatchReader, RecordBatchStreamWriter } from 'apache-arrow'
import { createStoreClient, type StoreClient } from '../../collector/store/client.ts'
import { createStore } from '../../collector/store/create-store.ts'
import { launchEmbedded } from '../../collector/store/embedded/launch.ts'
import { REQUESTS } from '../../collector/store/schema/requests.ts'
import { loadConfig } from '../../src/config/load.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MINUTES = 340
const RATE = 50
const BATCH_ROWS = 60_000
const HOUR = 3_600

export const BENCH_STORE = { retentionDays: 36_500, retentionBytes: 1e12 }

/** Fills `directory` unless it holds a store already. */
export async function storeRequests(directory: string, rows: number, say: (line: string) => void): Promise<void> {
  const data = join(directory, 'data')
  if (existsSync(join(data, 'chdb'))) return
  const set = join(directory, 'set')
  const minutes = Math.min(MINUTES, Math.ceil(rows / RATE / 60))
  say(`simulating ${minutes} minutes`)
  const start = new Date(Date.now() - minutes * 60_000).toISOString()
  const words = ['simulate', '--out', set, '--seed', '5', '--minutes', `${minutes}`, '--rate', `${RATE}`, '--agents', '2', '--start', start]
  execFileSync(process.execPath, ['bin/longpole.mjs', ...words, '--format', 'arrow', '--no-counterfactual'], { cwd: ROOT, stdio: 'ignore' })
  const loaded = await load(join(set, 'records.arrow'), data)
  const copies = Math.round(rows / loaded) - 1
  say(`${loaded} requests stored, ${copies} copies of them to come`)
  if (copies > 0) await copy(data, copies, say)
}

async function load(file: string, data: string): Promise<number> {
  const { store: config } = loadConfig({ environment: {}, overrides: { store: { data, ...BENCH_STORE, querySeconds: 600 } } })
  const store = await createStore(config)
  const reader = await RecordBatchReader.from(createReadStream(file))
  let batches: RecordBatch[] = []
  let rows = 0
  const flush = async () => {
    const writer = new RecordBatchStreamWriter()
    for (const batch of batches) writer.write(batch)
    writer.finish()
    if (batches.length > 0) await store.insertRecordTable(await writer.toUint8Array())
    batches = []
  }
  for await (const batch of reader) {
    batches.push(batch)
    rows += batch.numRows
    if (batches.reduce((sum, { numRows }) => sum + numRows, 0) >= BATCH_ROWS) await flush()
  }
  await flush()
  await store.close()
  return rows
}

/** Each with ids of its own, some seconds away from the original, three of four on replicas of their own. */
async function copy(data: string, copies: number, say: (line: string) => void): Promise<void> {
  const embedded = await launchEmbedded({ data, memoryBytes: 6e9 })
  const client = createStoreClient({ socket: embedded.socket, querySeconds: 900 })
  const [span] = await client.rows<{ low: number; high: number }>(
    `SELECT min(received_unix_ns) / 1e9 AS low, max(received_unix_ns) / 1e9 AS high FROM ${REQUESTS.name}`,
  )
  for (let number = 1; number <= copies; number++) {
    for (let at = Math.floor(span?.low ?? 0); at <= (span?.high ?? 0); at += HOUR) await client.command(copyStatement(number, at))
    say(`copy ${number} of ${copies}`)
  }
  await settle(client)
  await client.close()
  await embedded.close()
}

function copyStatement(number: number, from: number): string {
  const columns = REQUESTS.columns.map(({ name }) => name)
  const shift = `toInt64(cityHash64(record_id, ${number}) % 4000000000) - 2000000000`
  const isFleet = (name: string) => ['replica', 'prefill_replica', 'decode_replica', 'node'].includes(name)
  const values = columns.map((name) => {
    if (name === 'record_id') return `concat(record_id, '~${number}') AS record_id`
    if (name === 'trace_id') return `lower(hex(MD5(concat(trace_id, '${number}')))) AS trace_id`
    if (name === 'start_unix_ns' || name === 'received_unix_ns') return `${name} + (${shift})`
    return isFleet(name) && number % 4 > 0 ? `concat(${name}, '-${number % 4}')` : name
  })
  const hour = `received_unix_ns >= ${from}000000000 AND received_unix_ns < ${from + HOUR}000000000 AND NOT position(record_id, '~') > 0`
  return `INSERT INTO ${REQUESTS.name} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM (SELECT * FROM ${REQUESTS.name} WHERE ${hour})
    SETTINGS max_partitions_per_insert_block = 0, max_threads = 2`
}

/** As hours of arrivals would have been merged by the time anybody looks at them. */
async function settle(client: StoreClient): Promise<void> {
  const parts = await client.rows<{ partition: string }>(
    `SELECT DISTINCT partition FROM system.parts WHERE active AND table = '${REQUESTS.name}' AND database = currentDatabase()`,
  )
  for (const { partition } of parts) await client.command(`OPTIMIZE TABLE ${REQUESTS.name} PARTITION ${partition} FINAL`)
}
