import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseInstant } from './input.ts'
import { Problem } from './problem.ts'

test.each([
  ['1700000000', 1_700_000_000_000_000_000n],
  ['1700000000.25', 1_700_000_000_250_000_000n],
  [1_700_000_000, 1_700_000_000_000_000_000n],
  ['1700000000123456789', 1_700_000_000_123_456_789n],
  ['2023-11-14T22:13:20Z', 1_700_000_000_000_000_000n],
  ['2023-11-14T22:13:20.000000001Z', 1_700_000_000_000_000_001n],
  ['2023-11-15T00:13:20.5+02:00', 1_700_000_000_500_000_000n],
  ['0', 0n],
])('%s is an instant', (text, nanos) => {
  expect(parseInstant('from', text)).toBe(nanos)
})

test.each([
  '',
  'now',
  '-1',
  '1e9',
  '2023-11-14',
  '2023-11-14T22:13:20',
  '2023-02-30T25:00:00Z',
  '99999999999',
  '9223372036854775808',
  '１７０００',
  null,
  {},
  [],
  true,
])('%j is none and is refused by key', (value) => {
  expect(() => parseInstant('from', value)).toThrow(Problem)
  expect(() => parseInstant('from', value)).toThrow(/^from: expected Unix seconds/)
})

test('whatever comes, it is a whole number of nanoseconds that fits the store, or a refusal', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.double().map(String),
        fc.bigInt().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      ),
      (text) => {
        try {
          const nanos = parseInstant('to', text)
          expect(nanos >= -(2n ** 63n) && nanos < 2n ** 63n).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(Problem)
        }
      },
    ),
    { seed: 3, numRuns: 2_000 },
  )
})
