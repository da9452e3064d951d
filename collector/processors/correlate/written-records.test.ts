import { expect, test } from 'vitest'
import { createWrittenRecords } from './written-records.ts'

const id = (index: number) => index.toString(16).padStart(32, '0')
const written = (index: number) => ({ recordId: `${id(index)}-1`, receivedUnixNano: BigInt(index), version: 1 })

test('of traces beyond the limit it stays known that there are records, of others nothing is', () => {
  const records = createWrittenRecords(100)
  for (let index = 1; index <= 300; index++) records.keep(id(index), [written(index)], 0)
  expect(records.take(id(300))).toEqual([written(300)])
  expect(records.take(id(1))).toBeUndefined()
  for (let index = 1; index <= 300; index++) expect(records.hadRecords(id(index))).toBe(true)
  for (let index = 301; index <= 600; index++) expect(records.hadRecords(id(index))).toBe(false)
})

test('that there are records is known for as long as they may be amended, and forgotten soon after', () => {
  const amendMs = 1_000
  const records = createWrittenRecords(10)
  for (let nowMs = 0; nowMs <= 5 * amendMs; nowMs += 100) {
    if (nowMs === amendMs / 2) records.keep(id(1), [written(1)], nowMs)
    records.forget(nowMs - amendMs, nowMs)
    if (nowMs >= amendMs / 2 && nowMs <= 1.5 * amendMs) expect(records.hadRecords(id(1))).toBe(true)
    if (nowMs > 3 * amendMs) expect(records.hadRecords(id(1))).toBe(false)
  }
})
