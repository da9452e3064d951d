import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { makeRecord } from '../store/conformance-data.ts'
import { createStore } from '../store/create-store.ts'
import type { Store } from '../store/store.ts'
import { recordsOfTraces, recordsSince } from './stored-records.ts'

const data = mkdtempSync(join(tmpdir(), 'longpole-stored-'))
let store: Store
beforeAll(async () => {
  store = await createStore({ ...loadConfig({ environment: {} }).store, data, retentionDays: 36_500 })
})
afterAll(async () => {
  await store?.close()
  rmSync(data, { recursive: true, force: true })
})

test('the records of a trace are told in their newest version, without those that became part of another', async () => {
  const record = makeRecord(1, { version: 1 })
  const other = { ...makeRecord(2), trace_id: record.trace_id }
  const gone = { ...makeRecord(3), trace_id: record.trace_id }
  const stranger = makeRecord(4)
  await store.insertRecords([record, other, gone, stranger])
  await store.insertRecords([{ ...record, version: 3 }])
  await store.deleteRecords([gone.record_id])
  const of = ({ record_id, received_unix_ns }: typeof record, version: number) => ({
    recordId: record_id,
    receivedUnixNano: received_unix_ns,
    version,
  })
  const found = (await recordsOfTraces(store, [record.trace_id], 0n)).map(({ written }) => written)
  expect(found).toHaveLength(2)
  expect(found).toEqual(expect.arrayContaining([of(record, 3), of(other, other.version)]))
  const both = await recordsOfTraces(store, [record.trace_id, stranger.trace_id], 0n)
  expect(both.filter(({ traceId }) => traceId === stranger.trace_id)).toEqual([
    { traceId: stranger.trace_id, written: of(stranger, stranger.version) },
  ])
  expect(both).toHaveLength(3)
  expect(await recordsOfTraces(store, ['f'.repeat(32)], 0n)).toEqual([])
  const newest = [record, other, stranger].sort((left, right) => (left.received_unix_ns < right.received_unix_ns ? 1 : -1))[0]
  expect((await recordsSince(store, 0n, 1)).map(({ written }) => written.recordId)).toEqual([newest?.record_id])
})
