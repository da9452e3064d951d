import { createManualClock } from '@longpole/model/clock'
import type { OpenRequest } from '@longpole/model/observation'
import { expect, test } from 'vitest'
import { createOpenRequests } from './open-requests.ts'

const T0 = 1_790_000_000_000_000_000n

function setUp(maxRequests = 100) {
  const clock = createManualClock(T0)
  const open = createOpenRequests({ clock, maxRequests })
  const report = (spanId: string, ageSeconds: number, phase = 'engine.queue') => {
    const request: OpenRequest = {
      traceId: 't',
      spanId,
      requestId: `id-${spanId}`,
      startUnixNano: clock.unixNano() - BigInt(ageSeconds * 1e9),
      observedUnixNano: clock.unixNano(),
      ageSeconds,
      phase,
      columns: { model: 'm', prompt_tokens: 2_000 },
    }
    open.report(request)
  }
  return { clock, open, report }
}

test('an open request grows older between its reports, and moves from phase to phase', () => {
  const { clock, open, report } = setUp()
  report('a', 5)
  clock.advance(2_000)
  expect(open.list()).toMatchObject([{ spanId: 'a', ageSeconds: 7, phase: 'engine.queue' }])
  report('a', 7, 'engine.decode')
  report('b', 9)
  expect(open.list().map(({ spanId, phase }) => [spanId, phase])).toEqual([
    ['b', 'engine.queue'],
    ['a', 'engine.decode'],
  ])
})

test('one that has ended leaves at once, and a report that was still under way does not bring it back', () => {
  const { open, report } = setUp()
  report('a', 5)
  open.ended('t', 'a')
  report('a', 5)
  expect(open.list()).toEqual([])
})

test('it becomes a row once, when it is old enough, without a duration', () => {
  const { open, report } = setUp()
  report('a', 2)
  expect(open.takeUnwritten()).toEqual([])
  report('a', 6)
  const rows = open.takeUnwritten()
  expect(rows).toMatchObject([
    { record_id: 't-a', request_id: 'id-a', outcome: 'open', e2e: null, version: 0, prompt_class: '8k', received_unix_ns: T0 },
  ])
  report('a', 11)
  expect(open.takeUnwritten()).toEqual([])
})

test('one that nobody speaks of any more is lost: it leaves, and its row ends', () => {
  const { clock, open, report } = setUp()
  report('a', 6)
  open.takeUnwritten()
  report('b', 1)
  clock.advance(26_000)
  expect(open.takeLost()).toMatchObject([{ record_id: 't-a', outcome: 'error', error_class: 'lost' }])
  expect(open.list()).toEqual([])
})

test('the table is bounded and counts what it refuses', () => {
  const { open, report } = setUp(3)
  for (let index = 0; index < 10; index++) report(`s${index}`, 1)
  expect(open.size()).toBe(3)
  expect(open.refused()).toBe(7)
})
