import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sliceWindow, WHOLE } from './time-sample.ts'

const rangesOf = (condition: string) =>
  [...condition.matchAll(/start_unix_ns >= (\d+) AND start_unix_ns < (\d+)/g)].map(([, from, to]) => ({
    from: BigInt(from as string),
    to: BigInt(to as string),
  }))

test('a window with few requests is read whole', () => {
  expect(sliceWindow({ from: 0n, to: 1_000_000_000n }, 1.9, 10)).toBe(WHOLE)
})

test('slices lie within the window, apart from each other, and are the share that is said', () => {
  const start = 1_795_000_000_000_000_000n
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 90_000 }),
      fc.integer({ min: 2, max: 1_000 }),
      fc.integer({ min: 1, max: 240 }),
      (seconds, oneIn, slices) => {
        const window = { from: start, to: start + BigInt(seconds) * 1_000_000_000n }
        const sample = sliceWindow(window, oneIn, slices)
        const ranges = rangesOf(sample.condition ?? '')
        expect(ranges).toHaveLength(slices)
        let read = 0n
        let last = window.from
        for (const { from, to } of ranges) {
          expect(from >= last && to <= window.to).toBe(true)
          read += to - from
          last = to
        }
        expect(Number(window.to - window.from) / Number(read)).toBeCloseTo(sample.oneIn, 3)
        expect(sample.oneIn / oneIn).toBeCloseTo(1, 1)
      },
    ),
    { seed: 5 },
  )
})
