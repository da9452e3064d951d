// Deletes what is too old or too much, by dropping whole hours: that frees space at once, even on a full disk.
import type { StoreClient } from './client.ts'
import { PARTITION_NANOS, type StoredTable } from './schema/table.ts'
import { EVENTS, FINDINGS, PARTITIONED_TABLES, VERDICTS } from './schema/tables.ts'

export interface RetentionLimits {
  days: number
  bytes: number
  /** Free bytes of the disk, where that is ours to look after: a tenth of what the store and the rest could have stays free. */
  freeBytes?: number
}

const USABLE_SHARE = 0.9

export interface RetentionResult {
  droppedHours: number
  bytes: number
}

interface Partition {
  table: string
  partition: string
  hour: number
  bytes: number
}

const NANOS_PER_DAY = 86_400_000_000_000

/** One round. Size on disk counts all tables; by size the oldest hour of any table goes first, the newest one always stays. */
export async function applyRetention(client: StoreClient, limits: RetentionLimits, nowUnixNano: bigint): Promise<RetentionResult> {
  const { days, freeBytes = Number.POSITIVE_INFINITY } = limits
  const oldest = nowUnixNano - BigInt(Math.round(days * NANOS_PER_DAY))
  const oldestHour = Number(oldest / PARTITION_NANOS)
  const partitions = await readPartitions(client)
  const newestHour = partitions.at(-1)?.hour ?? 0
  let total = partitions.reduce((sum, partition) => sum + partition.bytes, 0)
  const bytes = Math.min(limits.bytes, (total + freeBytes) * USABLE_SHARE)
  let droppedHours = 0
  for (const partition of partitions) {
    const isOld = partition.hour < oldestHour
    const isTooMuch = total > bytes && partition.hour < newestHour
    if (!isOld && !isTooMuch) continue
    await client.command(`ALTER TABLE ${partition.table} DROP PARTITION ${partition.partition}`)
    total -= partition.bytes
    droppedHours++
  }
  await deleteOldRows(client, oldest)
  return { droppedHours, bytes: total }
}

/** Oldest first. */
async function readPartitions(client: StoreClient): Promise<Partition[]> {
  return client.rows<Partition>(
    `SELECT table, partition, toUInt32OrZero(partition) AS hour, toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts
     WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
     GROUP BY table, partition ORDER BY hour, table`,
    { tables: PARTITIONED_TABLES.map((table) => table.name) },
  )
}

/** Tables without partitions hold little and are cut row by row, and only where there is something to cut. */
async function deleteOldRows(client: StoreClient, oldest: bigint): Promise<void> {
  const cuts: [StoredTable, string][] = [
    [EVENTS, 'unix_ns'],
    [FINDINGS, 'updated_unix_ns'],
    [VERDICTS, 'unix_ns'],
  ]
  for (const [table, column] of cuts) {
    const condition = `${column} < ${oldest}`
    const [row] = await client.rows<{ old: number }>(`SELECT count() AS old FROM ${table.name} WHERE ${condition}`)
    if ((row?.old ?? 0) > 0) await client.command(`DELETE FROM ${table.name} WHERE ${condition}`)
  }
}
