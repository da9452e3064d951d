import { createManualClock } from '@longpole/model/clock'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundsOf, createClockOffsets, MIN_REQUESTS, type SeamStamps } from './clock-offset.ts'

const T0 = 1_790_000_000_000_000_000n
const nanos = (seconds: number) => BigInt(Math.round(seconds * 1e9))

/** A request whose way there and back took so long, seen by a server whose clock is off. */
function stamps(offset: number, there: number, served: number, back: number, at = 0): SeamStamps {
  return {
    outer: 'client',
    inner: 'server',
    sentUnixNano: T0 + nanos(at),
    receivedUnixNano: T0 + nanos(at + there + offset),
    returnedUnixNano: T0 + nanos(at + there + served + offset),
    seenUnixNano: T0 + nanos(at + there + served + back),
  }
}

const way = fc.double({ min: 0, max: 0.3, noNaN: true })

test('the true offset is always within the bounds of a request', () => {
  fc.assert(
    fc.property(fc.double({ min: -4_000, max: 4_000, noNaN: true }), way, way, way, (offset, there, served, back) => {
      const { low, high } = boundsOf(stamps(offset, there, served, back))
      expect(low).toBeLessThanOrEqual(offset + 1e-6)
      expect(high).toBeGreaterThanOrEqual(offset - 1e-6)
    }),
  )
})

describe('many requests', () => {
  test.each([0, 0.25, -37, 3_600])('an offset of %s s is told within half of the shortest round trip', (offset) => {
    const offsets = createClockOffsets(createManualClock())
    for (let index = 0; index < 100; index++) offsets.add(stamps(offset, 0.002 + (index % 7) / 100, 0.5, 0.001 + (index % 5) / 100, index))
    const known = offsets.offset('client', 'server')
    expect(Math.abs(-(known?.offsetSeconds ?? 0) - offset)).toBeLessThanOrEqual((known?.errorSeconds ?? 0) + 1e-6)
    expect(known?.errorSeconds).toBeLessThanOrEqual(0.0015 + 1e-6)
  })

  test('few requests tell nothing that a record may rest on', () => {
    const offsets = createClockOffsets(createManualClock())
    for (let index = 1; index < MIN_REQUESTS; index++) offsets.add(stamps(1, 0.01, 0.1, 0.01, index))
    expect(offsets.offset('client', 'server')).toBeNull()
    expect(offsets.list()).toHaveLength(1)
  })

  test('a clock that is stepped is believed from then on', () => {
    const clock = createManualClock()
    const offsets = createClockOffsets(clock)
    const feed = (offset: number) => {
      for (let index = 0; index < 40; index++) {
        offsets.add(stamps(offset, 0.01, 0.1, 0.01, index))
        clock.advance(100)
      }
    }
    feed(0)
    feed(2)
    expect(-(offsets.offset('client', 'server')?.offsetSeconds ?? 0)).toBeCloseTo(2, 1)
  })

  test('any number of pairs costs no more than their cap', () => {
    const offsets = createClockOffsets(createManualClock())
    for (let index = 0; index < 6_000; index++) offsets.add({ ...stamps(0, 0.01, 0.1, 0.01), inner: `server-${index}` })
    expect(offsets.list().length).toBeLessThanOrEqual(4_096)
  })
})
