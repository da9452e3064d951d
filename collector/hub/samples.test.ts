import { Longpole, SampleMetric } from '@longpole/model/conventions/attributes'
import type { Attributes } from '@longpole/model/span'
import { expect, test } from 'vitest'
import type { Metric } from '../../src/wire/otlp/signals.ts'
import { createArrivalState } from './arrival-state.ts'
import { readSamples } from './samples.ts'

const point = (field: string, value: number, attributes: Attributes = {}) => ({
  attributes: { [SampleMetric.field]: field, [Longpole.replica]: 'r1', ...attributes },
  timeUnixNano: 1_790_000_000_000_000_000n,
  value,
})
const gauge = (points: ReturnType<typeof point>[], name: string = SampleMetric.name): Metric => ({
  resource: { [Longpole.cluster]: 'east' },
  scopeName: '',
  scopeVersion: '',
  name,
  description: '',
  unit: '',
  data: { type: 'gauge', points },
})

test('the points of one scrape of one replica and rank are one sample; what is not told is null', () => {
  const { samples, ignored } = readSamples(
    [gauge([point('running', 3), point('kv_usage', 0.5), point('up', 1), point('running', 7, { [Longpole.rank]: '1' })])],
    null,
  )
  expect(ignored).toBe(0)
  expect(samples).toHaveLength(2)
  expect(samples[0]).toMatchObject({ replica: 'r1', rank: null, cluster: 'east', running: 3, kv_usage: 0.5, up: true, waiting: null })
  expect(samples[1]).toMatchObject({ rank: '1', running: 7 })
})

test('a page that did not answer is a sample that is down', () => {
  expect(readSamples([gauge([point('up', 0)])], null).samples).toMatchObject([{ up: false, running: null }])
})

test('other metrics, unknown fields and values that are no numbers are ignored and counted', () => {
  const batch = [gauge([point('running', 1)], 'other'), gauge([point('__proto__', 1), point('nope', 1), point('running', Number.NaN)])]
  expect(readSamples(batch, null)).toEqual({ samples: [], ignored: 4 })
})

test('a record learns how busy its replica was just before it arrived', () => {
  const state = createArrivalState()
  const { samples } = readSamples([gauge([point('running', 3), point('waiting', 2), point('age_seconds', 60)])], null)
  for (const sample of samples) state.sample(sample)
  const record = (at: bigint) =>
    ({ replica: 'r1', start_unix_ns: at, running: null, waiting: null, kv_usage: null, replica_age: null, cold: null }) as never
  const soon = record(1_790_000_002_000_000_000n) as Record<string, unknown>
  state.fill(soon as never)
  expect(soon).toMatchObject({ running: 3, waiting: 2, kv_usage: null, replica_age: 62, cold: true })
  const [before, muchLater] = [record(1_789_999_999_000_000_000n), record(1_790_000_090_000_000_000n)] as Record<string, unknown>[]
  for (const unknown of [before, muchLater]) {
    state.fill(unknown as never)
    expect(unknown?.running).toBeNull()
  }
})
