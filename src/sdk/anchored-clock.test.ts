import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anchorForRequest, now, toHrTime } from './anchored-clock.ts'

test('stamps become pairs whose differences are the monotonic ones, to a microsecond', () => {
  const time = fc.double({ min: 0, max: 1e9, noNaN: true })
  fc.assert(
    fc.property(fc.double({ min: 1.6e12, max: 2e12, noNaN: true }), time, time, (unixMs, first, second) => {
      const anchor = { monotonicMs: 500, unixMs }
      const [from, to] = [toHrTime(anchor, first), toHrTime(anchor, second)]
      for (const [, nanos] of [from, to]) {
        expect(Number.isInteger(nanos)).toBe(true)
        expect(nanos).toBeGreaterThanOrEqual(0)
        expect(nanos).toBeLessThan(1e9)
      }
      expect(Math.abs((to[0] - from[0]) * 1e3 + (to[1] - from[1]) / 1e6 - (second - first))).toBeLessThan(1e-3)
    }),
  )
})

test('the anchor stays while the wall clock goes on evenly, and is right to a few milliseconds', () => {
  const anchor = anchorForRequest(now())
  expect(anchorForRequest(now())).toBe(anchor)
  const [seconds, nanos] = toHrTime(anchor, now())
  expect(Math.abs(seconds * 1000 + nanos / 1e6 - Date.now())).toBeLessThan(25)
})
