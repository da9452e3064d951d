import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStoreClient, type StoreClient } from '../client.ts'
import { type EmbeddedStore, launchEmbedded } from '../embedded/launch.ts'
import { migrate, SCHEMA_VERSION } from './migrate.ts'
import { allColumns } from './table.ts'
import { TABLES } from './tables.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-migrate-'))
let embedded: EmbeddedStore
let client: StoreClient

beforeAll(async () => {
  embedded = await launchEmbedded({ data: directory, memoryBytes: 1e9 })
  client = createStoreClient({ socket: embedded.socket, querySeconds: 20 })
})
afterAll(async () => {
  await client?.close()
  await embedded?.close()
  rmSync(directory, { recursive: true, force: true })
})

test('a store gets every column, an older one those it lacks, a newer one is left alone', async () => {
  await migrate(client, { fsync: true })
  await migrate(client, { fsync: true })
  const columnsOf = async (table: string) =>
    (
      await client.rows<{ name: string }>(
        'SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position',
        { table },
      )
    ).map((row) => row.name)
  for (const table of TABLES) expect(await columnsOf(table.name)).toEqual(allColumns(table).map((column) => column.name))

  await client.command("INSERT INTO requests (record_id, model) VALUES ('a', 'm')")
  await client.command('ALTER TABLE requests DROP COLUMN gpu_type, DROP COLUMN phase_kv_load')
  await migrate(client, { fsync: true })
  expect((await columnsOf('requests')).sort()).toEqual(
    allColumns(TABLES[0]!)
      .map((column) => column.name)
      .sort(),
  )
  expect(await client.rows('SELECT record_id, model, gpu_type FROM requests')).toEqual([{ record_id: 'a', model: 'm', gpu_type: null }])

  await client.command(`INSERT INTO migrations (version) VALUES (${SCHEMA_VERSION + 1})`)
  await expect(migrate(client, { fsync: true })).rejects.toThrow(`the store has schema version ${SCHEMA_VERSION + 1}`)
})
