import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sliceReceipts } from './received-sample.ts'
import { WHOLE } from './time-sample.ts'

const START = 1_795_000_000_000_000_000n

const inSlices = (condition: string) => {
  const ranges = [...condition.matchAll(/received_unix_ns >= (\d+) AND received_unix_ns < (\d+)/g)].map(
    ([, from, to]) => [BigInt(from as string), BigInt(to as string)] as const,
  )
  return (at: bigint) => ranges.some(([from, to]) => at >= from && at < to)
}

const receiptsOf = (sorted: readonly bigint[], parts: number) => ({
  first: sorted[0] as bigint,
  last: sorted.at(-1) as bigint,
  between: Array.from({ length: parts - 1 }, (_, index) => sorted[Math.floor(((index + 1) * sorted.length) / parts)] as bigint),
})

test('the slices hold the share that is said, however unevenly the requests came and however late the last of them', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.integer({ min: 20, max: 60 }),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 0, max: 864_000 }),
      (oneIn, parts, power, lateSeconds) => {
        const rows = 40_000
        const received = Array.from({ length: rows }, (_, row) => START + BigInt(Math.round((row / rows) ** power * 3.6e12)) + BigInt(row))
        received.push((received.at(-1) as bigint) + 1n + BigInt(lateSeconds) * 1_000_000_000n)
        const sample = sliceReceipts(receiptsOf(received, parts), oneIn)
        const isIn = inSlices(sample.condition ?? '')
        const weighed = received.filter(isIn).length * sample.oneIn
        // A part where requests are much denser at one end may be off, and only by its own share of all.
        expect(Math.abs(weighed / received.length - 1)).toBeLessThan(0.05 + (power > 1 || lateSeconds > 0 ? 4 / parts : 0))
      },
    ),
    { seed: 11 },
  )
})

test('few rows, or rows that were received at few instants, are read whole', () => {
  const even = receiptsOf(
    Array.from({ length: 1_000 }, (_, row) => START + BigInt(row) * 1_000_000n),
    10,
  )
  expect(sliceReceipts(even, 1.9)).toBe(WHOLE)
  expect(
    sliceReceipts(
      receiptsOf(
        Array.from({ length: 1_000 }, () => START),
        10,
      ),
      10,
    ),
  ).toBe(WHOLE)
  expect(sliceReceipts({ first: 0n, last: 0n, between: [] }, 10)).toBe(WHOLE)
})
