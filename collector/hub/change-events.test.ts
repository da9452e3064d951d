import { createManualClock } from '@longpole/model/clock'
import { type EngineSample, emptySample } from '@longpole/model/engine-sample'
import { expect, test } from 'vitest'
import { createChangeDetector } from './change-events.ts'

function setUp() {
  const clock = createManualClock()
  const detector = createChangeDetector(clock)
  const sample = (fields: Partial<EngineSample> = {}) => detector.sample({ ...emptySample('r1', clock.unixNano()), model: 'm', ...fields })
  return { clock, detector, sample }
}

test('a replica that goes on as it was is no event', () => {
  const { clock, detector, sample } = setUp()
  for (let age = 100; age < 400; age += 5) {
    expect(sample({ age_seconds: age + Math.sin(age), engine_version: '0.32.0' })).toEqual([])
    clock.advance(5_000)
  }
  expect(detector.silent()).toEqual([])
})

test('a new version is a deploy, a later start a restart, each told once', () => {
  const { clock, sample } = setUp()
  sample({ age_seconds: 1_000, engine_version: '0.31.0' })
  clock.advance(5_000)
  expect(sample({ age_seconds: 3, engine_version: '0.32.0' })).toMatchObject([
    { kind: 'deploy', from_value: '0.31.0', to_value: '0.32.0', scope: { replica: ['r1'], model: ['m'] }, source: 'derived' },
    { kind: 'restart' },
  ])
  clock.advance(5_000)
  expect(sample({ age_seconds: 8, engine_version: '0.32.0' })).toEqual([])
})

test('what a sample does not know is no change', () => {
  const { clock, sample } = setUp()
  sample({ age_seconds: 100, engine_version: '1' })
  clock.advance(5_000)
  expect(sample({ up: false })).toEqual([])
  clock.advance(5_000)
  expect(sample({ age_seconds: 110, engine_version: '1' })).toEqual([])
  clock.advance(5_000)
  expect(sample({ age_seconds: 115, engine_version: '2' })).toMatchObject([{ kind: 'deploy' }])
})

test('replicas that join a running fleet or fall silent are told, those found at the start are not', () => {
  const { clock, detector, sample } = setUp()
  expect(sample()).toEqual([])
  clock.advance(61_000)
  expect(detector.sample({ ...emptySample('r2', clock.unixNano()), model: 'm' })).toMatchObject([{ kind: 'scale', to_value: 'r2' }])
  expect(detector.silent()).toMatchObject([{ kind: 'scale', from_value: 'r1' }])
  expect(detector.silent()).toEqual([])
})
