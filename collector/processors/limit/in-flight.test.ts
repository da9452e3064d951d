import { expect, test } from 'vitest'
import { createInFlight } from './in-flight.ts'

test('takes up to the limit, refuses beyond it without counting, and takes again what was given back', () => {
  const inFlight = createInFlight(100)
  expect([inFlight.take(60), inFlight.take(41), inFlight.take(40)]).toEqual([true, false, true])
  expect(inFlight.bytes()).toBe(100)
  inFlight.give(60)
  expect([inFlight.take(61), inFlight.take(60), inFlight.bytes()]).toEqual([false, true, 100])
})
