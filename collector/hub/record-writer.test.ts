import type { RequestRecord } from '@longpole/model/request-record'
import { expect, test } from 'vitest'
import { createRecordWriter } from './record-writer.ts'

function setUp() {
  const inserted: [string, number][] = []
  const removed: string[] = []
  let works = true
  const writer = createRecordWriter({
    async insert(records) {
      if (!works) throw new Error('away')
      inserted.push(...records.map(({ record_id, version }): [string, number] => [record_id, version]))
    },
    async remove(ids) {
      if (!works) throw new Error('away')
      removed.push(...ids)
    },
    maxWaiting: 2,
    onTrouble: () => {},
  })
  const write = (id: string, version: number, received = 5n) =>
    writer.write({ record_id: id, version, received_unix_ns: received } as RequestRecord)
  return { inserted, removed, writer, write, setWorks: (value: boolean) => (works = value) }
}

test('of several versions that wait only the newest is written, in whatever order they came', async () => {
  const { inserted, writer, write } = setUp()
  write('a', 1)
  write('a', 3)
  write('a', 2)
  await writer.flush()
  expect(inserted).toEqual([['a', 3]])
})

test('a store that is away keeps records waiting, oldest known, until ingest must slow down; then all are written', async () => {
  const { inserted, writer, write, setWorks } = setUp()
  setWorks(false)
  write('a', 1, 7n)
  await writer.flush()
  write('a', 2, 7n)
  write('b', 1, 9n)
  expect([writer.isFull(), writer.oldestUnixNano()]).toEqual([true, 7n])
  setWorks(true)
  await writer.flush()
  expect(inserted).toEqual([
    ['a', 2],
    ['b', 1],
  ])
  expect([writer.isFull(), writer.oldestUnixNano()]).toEqual([false, null])
})

test('a record that became part of another is taken away, also when the store was away at first', async () => {
  const { inserted, removed, writer, write, setWorks } = setUp()
  write('a', 1)
  write('b', 1)
  writer.remove(['a'])
  setWorks(false)
  await writer.flush()
  setWorks(true)
  await writer.flush()
  expect(inserted).toEqual([['b', 1]])
  expect(removed).toEqual(['a'])
})
