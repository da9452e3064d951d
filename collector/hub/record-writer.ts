// Writes records: each goes to the store, and is kept here until it is there. The store away: they wait, and ingest is told to slow
// down before they become too many.
import type { RequestRecord } from '@longpole/model/request-record'

export interface RecordWriterSettings {
  insert(records: readonly RequestRecord[]): Promise<void>
  /** Rows of records that turned out to be parts of others. */
  remove(recordIds: readonly string[]): Promise<void>
  maxWaiting: number
  onTrouble(message: string): void
}

export interface RecordWriter {
  write(record: RequestRecord): void
  remove(recordIds: readonly string[]): void
  /** True while so many wait that no more spans should be taken. */
  isFull(): boolean
  /** First receive time of the oldest record that is not in the store. */
  oldestUnixNano(): bigint | null
  /** Writes what is there; resolves when it is in the store, or could not be written now. */
  flush(): Promise<void>
}

const MAX_ROWS = 10_000

export function createRecordWriter({ insert, remove, maxWaiting, onTrouble }: RecordWriterSettings): RecordWriter {
  /** By id: of two versions that wait only the newer one is written. */
  let waiting = new Map<string, RequestRecord>()
  let underWay: RequestRecord[] = []
  let removals: string[] = []
  let running: Promise<void> | null = null

  async function run(): Promise<void> {
    while (waiting.size > 0) {
      underWay = takeFirst(MAX_ROWS)
      try {
        await insert(underWay)
      } catch (error) {
        onTrouble((error as Error).message)
        const newer = waiting
        waiting = new Map(underWay.map((record) => [record.record_id, record]))
        for (const [id, record] of newer) waiting.set(id, record)
        return
      } finally {
        underWay = []
      }
    }
    await runRemovals()
  }

  async function runRemovals(): Promise<void> {
    const ids = removals
    removals = []
    if (ids.length === 0) return
    try {
      await remove(ids)
    } catch (error) {
      onTrouble((error as Error).message)
      removals.push(...ids)
    }
  }

  function takeFirst(count: number): RequestRecord[] {
    const taken: RequestRecord[] = []
    for (const [id, record] of waiting) {
      if (taken.length === count) break
      waiting.delete(id)
      taken.push(record)
    }
    return taken
  }

  return {
    write(record) {
      const known = waiting.get(record.record_id)
      if (known === undefined || known.version <= record.version) waiting.set(record.record_id, record)
    },
    remove(recordIds) {
      for (const id of recordIds) waiting.delete(id)
      removals.push(...recordIds)
    },
    isFull: () => waiting.size + underWay.length >= maxWaiting,
    oldestUnixNano() {
      let oldest: bigint | null = null
      for (const record of underWay) if (oldest === null || record.received_unix_ns < oldest) oldest = record.received_unix_ns
      for (const record of waiting.values()) if (oldest === null || record.received_unix_ns < oldest) oldest = record.received_unix_ns
      return oldest
    },
    async flush() {
      running ??= run().finally(() => {
        running = null
      })
      await running
    },
  }
}
