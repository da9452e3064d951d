import { Events, GenAi, Longpole } from '@longpole/model/conventions/attributes'
import type { Attributes } from '@longpole/model/span'
import { expect, test } from 'vitest'
import type { LogRecord } from '../../src/wire/otlp/signals.ts'
import { readOpenRequests } from './open-logs.ts'

const record = (attributes: Attributes, eventName: string = Events.requestOpen): LogRecord => ({
  timeUnixNano: 10_000_000_000n,
  observedUnixNano: 10_000_000_000n,
  severityNumber: 9,
  eventName,
  body: null,
  traceId: 'ab'.repeat(16),
  spanId: 'cd'.repeat(8),
  attributes: { [Events.openAge]: 3, [Events.openStart]: '7000000000', [Events.openPhase]: 'engine.queue', ...attributes },
  resource: { [Longpole.replica]: 'r-0' },
  scopeName: 's',
  scopeVersion: '',
})

test('an open request has age, phase, start, model and replica', () => {
  const { open, ignored } = readOpenRequests([record({ [GenAi.requestModel]: 'm' }), record({}, 'another.event')], 'c')
  expect(ignored).toBe(1)
  expect(open).toMatchObject([
    { ageSeconds: 3, phase: 'engine.queue', startUnixNano: 7_000_000_000n, columns: { model: 'm', replica: 'r-0', cluster: 'c' } },
  ])
})

test.each([
  [200, '1k'],
  [5_000, '8k'],
  [20_000, '32k'],
  [1_000_000, 'inf'],
] as const)('a body of %s bytes has at most so many tokens: class %s', (bytes, promptClass) => {
  expect(readOpenRequests([record({ [Longpole.requestBytes]: bytes })], null).open[0]?.columns.prompt_class).toBe(promptClass)
})

test('an unknown length stays unknown', () => {
  expect(readOpenRequests([record({})], null).open[0]?.columns.prompt_class).toBeNull()
})

test.each([{ [Events.openAge]: -1 }, { [Events.openAge]: 'old' }, { [Events.openAge]: Number.NaN }])(
  'a hostile age %j is no open request',
  (attributes) => {
    expect(readOpenRequests([record(attributes as Attributes)], null)).toMatchObject({ open: [], ignored: 1 })
  },
)
