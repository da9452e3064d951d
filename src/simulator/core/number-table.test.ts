import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NumberTable } from './number-table.ts'

test('a table answers as a map does, whatever is added and deleted', () => {
  const keys = fc.oneof(
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0, max: 40 }).map((key) => 2 ** 36 + key * 4096),
  )
  const commands = fc.array(fc.record({ key: keys, deletes: fc.boolean() }), { maxLength: 200 })
  fc.assert(
    fc.property(commands, (list) => {
      const table = new NumberTable()
      const map = new Map<number, number>()
      list.forEach(({ key, deletes }, index) => {
        if (deletes) {
          table.delete(key)
          map.delete(key)
        } else if (!map.has(key)) {
          table.add(key, index)
          map.set(key, index)
        }
        expect(table.size).toBe(map.size)
      })
      for (const { key } of list) expect(table.get(key)).toBe(map.get(key) ?? -1)
    }),
  )
})

test('a table grows and is emptied', () => {
  const table = new NumberTable()
  for (let key = 0; key < 10_000; key++) table.add(key * 4096, key)
  expect([table.get(0), table.get(9_999 * 4096), table.get(1)]).toEqual([0, 9_999, -1])
  for (let key = 0; key < 10_000; key += 2) table.delete(key * 4096)
  expect([table.size, table.get(0), table.get(4096)]).toEqual([5_000, -1, 1])
  table.clear()
  expect([table.size, table.get(4096)]).toEqual([0, -1])
})
