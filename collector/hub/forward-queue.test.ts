import { createManualClock } from '@longpole/model/clock'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Span } from '@longpole/model/span'
import { beforeEach, describe, expect, test } from 'vitest'
import { createForwardQueue, type Forwarded, type ForwardQueue } from './forward-queue.ts'

let clock: ReturnType<typeof createManualClock>
let queue: ForwardQueue
let sent: string[]
let late: string[]

const nameOf = ({ record, spans }: Forwarded) => `${record.record_id} with ${spans.length}`
function request(recordId: string, spans: number, event: Forwarded['event'] = 'settled', superseded: string[] = []): Forwarded {
  return {
    record: { record_id: recordId } as RequestRecord,
    event,
    spans: new Array<Span>(spans),
    superseded: superseded.map((id) => ({ recordId: id, receivedUnixNano: 0n, version: 1 })),
  }
}

beforeEach(() => {
  clock = createManualClock()
  sent = []
  late = []
  queue = createForwardQueue({
    clock,
    delaySeconds: 10,
    maxSpans: 100,
    send: (entry) => sent.push(nameOf(entry)),
    onLate: (entry) => late.push(nameOf(entry)),
  })
})

describe('a settled request', () => {
  test('is sent once its time is over, and once only', () => {
    queue.add(request('a', 2))
    clock.advance(9_999)
    queue.drain()
    expect(sent).toEqual([])
    clock.advance(1)
    queue.drain()
    queue.drain(true)
    expect(sent).toEqual(['a with 2'])
  })

  test('is sent in the version it was amended to while it waited, at the time it would have been sent', () => {
    queue.add(request('a', 2))
    clock.advance(9_000)
    queue.add(request('a', 5, 'amended'))
    clock.advance(1_000)
    queue.drain()
    expect(sent).toEqual(['a with 5'])
  })

  test('that turns out to be part of another is sent within that one', () => {
    queue.add(request('part', 1))
    queue.add(request('whole', 4, 'amended', ['part']))
    queue.drain(true)
    expect([sent, late]).toEqual([['whole with 4'], []])
  })

  test('that is amended after it was sent is not sent again, and that is said', () => {
    queue.add(request('a', 2))
    queue.drain(true)
    queue.add(request('a', 3, 'amended'))
    queue.drain(true)
    expect([sent, late]).toEqual([['a with 2'], ['a with 3']])
  })

  test('goes early when too much waits, the oldest first', () => {
    for (const [index, id] of ['a', 'b', 'c'].entries()) queue.add(request(id, 40 + index))
    expect(sent).toEqual(['a with 40'])
    queue.drain(true)
    expect(sent).toEqual(['a with 40', 'b with 41', 'c with 42'])
  })
})
