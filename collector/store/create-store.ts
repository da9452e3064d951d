// Opens the store: the embedded process or a server by URL, the schema, group commit for what arrives, retention in the background.
import { mkdirSync, statfsSync } from 'node:fs'
import type { ChangeEvent } from '@longpole/model/change-event'
import { type Clock, createSystemClock } from '@longpole/model/clock'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { RequestRecord } from '@longpole/model/request-record'
import type { EncodedTable } from './arrow/table.ts'
import { createStoreClient, type StoreClient } from './client.ts'
import { type EmbeddedStore, launchEmbedded } from './embedded/launch.ts'
import { createGroupCommit, type GroupCommitSettings } from './group-commit.ts'
import { createReads } from './reads.ts'
import { insertRecordTable } from './record-table.ts'
import { applyRetention } from './retention.ts'
import { encodeEvents, encodeFindings, encodeSamples, encodeVerdict } from './rows/other-rows.ts'
import { encodeRecords } from './rows/request-rows.ts'
import { encodeSpans } from './rows/span-rows.ts'
import { migrate } from './schema/migrate.ts'
import { supersedeStatement } from './schema/requests.ts'
import { EVENTS, FINDINGS, REQUESTS, SAMPLES, SPANS, VERDICTS } from './schema/tables.ts'
import { type Store, StoreConfigError, type StoredSpan } from './store.ts'

/** The `store` section of longpole.yaml. */
export interface StoreConfig {
  data: string
  url: string | null
  database: string
  user: string
  password: string
  retentionDays: number
  retentionBytes: number
  memoryBytes: number
  querySeconds: number
  fsync: boolean
}

export interface StoreSettings {
  clock?: Clock
  /** Told when the embedded process had to be started again, or a round of retention failed. */
  onTrouble?: (message: string) => void
}

const RETENTION_INTERVAL_MS = 60_000
const SPAN_COMMIT: GroupCommitSettings = { maxRows: 50_000, maxWaiting: 400_000, intervalMs: 100 }
const RECORD_COMMIT: GroupCommitSettings = { maxRows: 20_000, maxWaiting: 200_000, intervalMs: 200 }
const SMALL_COMMIT: GroupCommitSettings = { maxRows: 10_000, maxWaiting: 100_000, intervalMs: 500 }

/** Rejects with an error that says what to do where the store cannot be opened. */
export async function createStore(
  config: StoreConfig,
  { clock = createSystemClock(), onTrouble = () => {} }: StoreSettings = {},
): Promise<Store> {
  const { client, embedded } =
    config.url === null ? await openEmbedded(config, onTrouble) : { client: await openServer(config, config.url), embedded: null }
  try {
    await migrate(client, { fsync: config.fsync })
  } catch (error) {
    await client.close()
    await embedded?.close()
    if (!/not enough space|No space left/i.test((error as Error).message)) throw error
    throw new Error(`no space left for the store in ${config.data} (store.data): free some, or give it another directory`, { cause: error })
  }

  const insertInto = async (table: string, encoded: Promise<EncodedTable>) => {
    const { names, body } = await encoded
    await client.insert(`INSERT INTO ${table} (${names.join(', ')})`, 'ArrowStream', body)
  }
  const spans = createGroupCommit<StoredSpan>(async (rows) => insertInto(SPANS.name, encodeSpans(rows)), SPAN_COMMIT)
  const records = createGroupCommit<RequestRecord>(async (rows) => insertInto(REQUESTS.name, encodeRecords(rows)), RECORD_COMMIT)
  const samples = createGroupCommit<EngineSample>(async (rows) => insertInto(SAMPLES.name, encodeSamples(rows)), SMALL_COMMIT)
  const events = createGroupCommit<ChangeEvent>(async (rows) => insertInto(EVENTS.name, encodeEvents(rows)), SMALL_COMMIT)
  const findings = createGroupCommit<Finding>(async (rows) => insertInto(FINDINGS.name, encodeFindings(rows)), SMALL_COMMIT)

  const limits = { days: config.retentionDays, bytes: config.retentionBytes }
  const retain = () =>
    applyRetention(client, limits, clock.unixNano()).catch((error) => onTrouble(`retention: ${(error as Error).message}`))
  const timer = setInterval(retain, RETENTION_INTERVAL_MS).unref()

  return {
    ...createReads(client),
    insertSpans: (rows) => spans.add(rows),
    insertRecords: (rows) => records.add(rows),
    async deleteRecords(recordIds) {
      if (recordIds.length === 0) return
      await client.command(supersedeStatement(REQUESTS.name), { ids: recordIds })
    },
    insertRecordTable: (arrow) => insertRecordTable(client, arrow),
    insertSamples: (rows) => samples.add(rows),
    insertEvents: (rows) => events.add(rows),
    insertFindings: (rows) => findings.add(rows),
    insertVerdict: (verdict, unixNano) => insertInto(VERDICTS.name, encodeVerdict(verdict, unixNano)),
    usage: () => readUsage(client, config, embedded),
    ready: () => client.ping(),
    async close() {
      clearInterval(timer)
      await Promise.allSettled([spans, records, samples, events, findings].map((commit) => commit.idle()))
      await client.close()
      await embedded?.close()
    },
  }
}

async function openEmbedded(config: StoreConfig, onTrouble: (message: string) => void) {
  try {
    mkdirSync(config.data, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new StoreConfigError(`data directory ${config.data} (store.data) cannot be made: ${(error as Error).message}`)
  }
  const embedded = await launchEmbedded({
    data: config.data,
    memoryBytes: config.memoryBytes,
    onRestart: (reason) => onTrouble(`the store process ended and is started again: ${reason}`),
  })
  return { client: createStoreClient({ socket: embedded.socket, querySeconds: config.querySeconds }), embedded }
}

async function openServer(config: StoreConfig, url: string): Promise<StoreClient> {
  const access = { url, username: config.user, password: config.password, querySeconds: config.querySeconds }
  const plain = createStoreClient(access)
  try {
    await plain.command(`CREATE DATABASE IF NOT EXISTS ${config.database}`)
  } catch (error) {
    throw new StoreConfigError(`the store at ${new URL(url).origin} (store.url) cannot be used: ${(error as Error).message}`)
  } finally {
    await plain.close()
  }
  return createStoreClient({ ...access, database: config.database })
}

async function readUsage(
  client: StoreClient,
  config: StoreConfig,
  embedded: EmbeddedStore | null,
): Promise<{ bytes: number; freeRatio: number }> {
  const [row] = await client.rows<{ bytes: number }>(
    'SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = currentDatabase()',
  )
  const bytes = row?.bytes ?? 0
  const ofLimit = Math.max(0, 1 - bytes / config.retentionBytes)
  return { bytes, freeRatio: Math.min(ofLimit, await freeDiskRatio(client, embedded)) }
}

async function freeDiskRatio(client: StoreClient, embedded: EmbeddedStore | null): Promise<number> {
  if (embedded !== null) {
    const { bavail, blocks } = statfsSync(embedded.data)
    return blocks === 0 ? 1 : bavail / blocks
  }
  const [disk] = await client.rows<{ ratio: number }>(
    'SELECT min(free_space / total_space) AS ratio FROM system.disks WHERE total_space > 0',
  )
  return disk?.ratio ?? 1
}
