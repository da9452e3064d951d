// The contrast of a slice with the rest of the fleet: large where only the slice rose, nothing where both rose alike or nothing is left.
import { describe, expect, test } from 'vitest'
import { type Counts, contrast } from './statistic.ts'

/** `share` of `rows` rows have an event, of which `rate` was usual. */
const counts = (rows: number, rate: number, share: number): Counts => ({
  cA: rows * share,
  xA: rows * rate,
  cB: 10 * rows * rate,
  xB: 10 * rows * rate,
})
const whole = (slice: Counts, rest: Counts): Counts => ({
  cA: slice.cA + rest.cA,
  xA: slice.xA + rest.xA,
  cB: slice.cB + rest.cB,
  xB: slice.xB + rest.xB,
})
const of = (slice: Counts, rest: Counts, rate: number) => contrast(slice, whole(slice, rest), rate, 1)

describe('contrast', () => {
  test('what half of the rows do anyway is compared as odds: nearly all of the slice against three in five of the rest', () => {
    expect(of(counts(100, 0.5, 0.95), counts(100, 0.5, 0.6), 0.5)).toBeGreaterThan(8)
  })

  test.each([0.5, 0.1, 0.01])('where everybody rose alike it is small (rate %d)', (rate) => {
    expect(of(counts(300, rate, 1.7 * rate), counts(900, rate, 1.7 * rate), rate)).toBeLessThan(0.5)
  })

  test('a slice that fell behind the rest has none', () => {
    expect(of(counts(300, 0.1, 0.1), counts(900, 0.1, 0.3), 0.1)).toBe(0)
  })

  test('rare events: as a Poisson ratio would have it', () => {
    const [slice, rest] = [counts(2_000, 0.01, 0.04), counts(6_000, 0.01, 0.01)]
    expect(of(slice, rest, 0.01)).toBeCloseTo(contrast(slice, whole(slice, rest), 0, 1), -1)
    expect(of(slice, rest, 0.01)).toBeGreaterThan(20)
  })

  test('a slice that holds nearly every row has nothing to stand out from', () => {
    expect(of(counts(1_000, 0.01, 0.2), counts(8, 0.01, 0), 0.01)).toBeLessThan(2)
  })
})
