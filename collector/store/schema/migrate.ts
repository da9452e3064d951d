// Brings a store to the schema of this version: creates what is missing and adds columns that are new. It never removes or renames a
// column, so that an older store opens in a newer Longpole; a newer one is refused by an older Longpole.
import type { StoreClient } from '../client.ts'
import { allColumns, createTableStatement, type DdlOptions, type StoredTable } from './table.ts'
import { TABLES } from './tables.ts'

/** Counts changes of the schema that an older Longpole could not read or write. */
export const SCHEMA_VERSION = 1

const MIGRATIONS = 'migrations'

export async function migrate(client: StoreClient, options: DdlOptions): Promise<void> {
  await client.command(
    `CREATE TABLE IF NOT EXISTS ${MIGRATIONS} (version UInt32, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY version`,
  )
  const [row] = await client.rows<{ version: number }>(`SELECT max(version) AS version FROM ${MIGRATIONS}`)
  const stored = Number(row?.version ?? 0)
  if (stored > SCHEMA_VERSION) {
    throw new Error(
      `the store has schema version ${stored}, this Longpole knows ${SCHEMA_VERSION}: use a newer Longpole or another data directory`,
    )
  }
  const present = await readColumns(client)
  for (const table of TABLES) {
    const names = present.get(table.name)
    if (names === undefined) await client.command(createTableStatement(table, options))
    else await addMissingColumns(client, table, names)
  }
  if (stored < SCHEMA_VERSION) await client.command(`INSERT INTO ${MIGRATIONS} (version) VALUES (${SCHEMA_VERSION})`)
}

/** Names of columns by table. */
async function readColumns(client: StoreClient): Promise<Map<string, Set<string>>> {
  const rows = await client.rows<{ table: string; name: string }>(
    'SELECT table, name FROM system.columns WHERE database = currentDatabase()',
  )
  const columns = new Map<string, Set<string>>()
  for (const { table, name } of rows) columns.set(table, (columns.get(table) ?? new Set()).add(name))
  return columns
}

async function addMissingColumns(client: StoreClient, table: StoredTable, names: ReadonlySet<string>): Promise<void> {
  const missing = allColumns(table).filter((column) => !names.has(column.name))
  if (missing.length === 0) return
  const additions = missing.map((column) => `ADD COLUMN IF NOT EXISTS ${column.name} ${column.type}`)
  await client.command(`ALTER TABLE ${table.name} ${additions.join(', ')}`)
}
