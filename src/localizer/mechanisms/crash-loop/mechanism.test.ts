import type { EngineSample } from '@longpole/model/engine-sample'
import { expect, test } from 'vitest'
import type { Signals } from '../signals.ts'
import { crashLoop } from './mechanism.ts'

/** One replica, looked at every ten seconds, with these ages; no request failed. */
function ask(ages: readonly number[]) {
  const samples = ages.map((age, index) => ({
    replica: 'a',
    rank: '0',
    up: true,
    age_seconds: age,
    unix_ns: BigInt(index) * 10_000_000_000n,
  })) as EngineSample[]
  return crashLoop.test({ samplesNow: () => samples, outcomes: () => null } as unknown as Signals)
}

test('an engine that started anew twice is in a crash loop', () => {
  expect(ask([9_000, 9_010, 4, 14, 3, 13])).toMatchObject({ for: ['its engines restarted 2 times in the incident'] })
})

test.each([
  ['once', [9_000, 4, 14, 24]],
  ['never', [9_000, 9_010, 9_020]],
  ['never, though its age is told from two starts long ago', [9_000, 5_010, 9_020, 5_030, 9_040, 5_050]],
])('an engine that started anew %s is not', (_, ages) => {
  expect(ask(ages)).toBeNull()
})
