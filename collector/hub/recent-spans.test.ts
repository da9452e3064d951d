import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRecentSpans } from './recent-spans.ts'

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

test('what was added is known, what was not is not, with counters as ids too', () => {
  const id = (digits: number) =>
    fc.oneof(
      fc.nat(5_000).map((value) => hex(value, digits)),
      fc.uint8Array({ minLength: digits / 2, maxLength: digits / 2 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    )
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(id(32), id(16)), { maxLength: 200, selector: (pair) => pair.join() }),
      fc.nat(200),
      (pairs, cut) => {
        const recent = createRecentSpans(1_024)
        const [added, others] = [pairs.slice(0, cut), pairs.slice(cut)]
        for (const pair of added) recent.add(...pair)
        for (const pair of added) expect(recent.has(...pair)).toBe(true)
        for (const pair of others) expect(recent.has(...pair)).toBe(false)
      },
    ),
  )
})

test('the oldest are forgotten, never the latest', () => {
  const recent = createRecentSpans(1_024)
  for (let index = 1; index <= 10_000; index++) {
    recent.add(hex(index, 32), hex(index, 16))
    for (let back = 0; back < 700 && back < index; back += 50) expect(recent.has(hex(index - back, 32), hex(index - back, 16))).toBe(true)
  }
  expect(recent.has(hex(1, 32), hex(1, 16))).toBe(false)
})
