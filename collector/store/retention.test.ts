import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStoreClient, type StoreClient } from './client.ts'
import { makeFinding, START } from './conformance-data.ts'
import { type EmbeddedStore, launchEmbedded } from './embedded/launch.ts'
import { applyRetention } from './retention.ts'
import { encodeFindings } from './rows/other-rows.ts'
import { migrate } from './schema/migrate.ts'

const HOUR = 3_600_000_000_000n
const directory = mkdtempSync(join(tmpdir(), 'longpole-retention-'))
let embedded: EmbeddedStore
let client: StoreClient

beforeAll(async () => {
  embedded = await launchEmbedded({ data: directory, memoryBytes: 1e9 })
  client = createStoreClient({ socket: embedded.socket, querySeconds: 20 })
  await migrate(client, { fsync: false })
  const hours = '(received_unix_ns, trace_id, attributes)'
  for (const hour of [0, 1, 2, 3, 4]) {
    await client.command(
      `INSERT INTO spans ${hours} SELECT ${START + BigInt(hour) * HOUR}, toString(number), randomPrintableASCII(200) FROM numbers(2000)`,
    )
  }
  await client.command(`INSERT INTO requests (received_unix_ns, record_id) SELECT ${START + HOUR}, toString(number) FROM numbers(10)`)
  const { names, body } = await encodeFindings([
    makeFinding('old', { updated: '2020-01-01T00:00:00Z' }),
    makeFinding('new', { updated: '2030-01-01T00:00:00Z' }),
  ])
  await client.insert(`INSERT INTO findings (${names.join(', ')})`, 'ArrowStream', body)
})
afterAll(async () => {
  await client?.close()
  await embedded?.close()
  rmSync(directory, { recursive: true, force: true })
})

async function hours(table: string): Promise<number[]> {
  const rows = await client.rows<{ hour: number }>(
    `SELECT DISTINCT intDiv(received_unix_ns - ${START}, ${HOUR}) AS hour FROM ${table} ORDER BY hour`,
  )
  return rows.map((row) => row.hour)
}

test('what is older than so many days goes, by whole hours, in every table', async () => {
  const { droppedHours } = await applyRetention(client, { days: 0.08, bytes: 1e12 }, START + 4n * HOUR)
  expect(droppedHours).toBe(3)
  expect(await hours('spans')).toEqual([2, 3, 4])
  expect(await hours('requests')).toEqual([])
  expect(await client.rows('SELECT id FROM findings')).toEqual([{ id: 'new' }])
})

test('above the size, or on a disk that is nearly full, the oldest hours go; the newest stays whatever its size', async () => {
  const [row] = await client.rows<{ bytes: number }>(
    "SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND table = 'spans'",
  )
  const before = row!.bytes
  const { bytes } = await applyRetention(client, { days: 100, bytes: before * 0.7 }, START + 4n * HOUR)
  expect(await hours('spans')).toEqual([3, 4])
  expect(bytes).toBeLessThanOrEqual(before * 0.7)
  await applyRetention(client, { days: 100, bytes: 1e12, freeBytes: bytes * 0.2 }, START + 4n * HOUR)
  expect(await hours('spans')).toEqual([3, 4])
  await applyRetention(client, { days: 100, bytes: 1e12, freeBytes: bytes * 0.05 }, START + 4n * HOUR)
  expect(await hours('spans')).toEqual([4])
  await applyRetention(client, { days: 100, bytes: 1 }, START + 4n * HOUR)
  expect(await hours('spans')).toEqual([4])
})
