import type { Span } from '@longpole/model/span'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredSpan } from '../store/store.ts'
import { createLedger } from './ledger.ts'
import { createSpanIntake } from './span-intake.ts'

function setUp() {
  const counts: Record<string, number> = {}
  const ledger = createLedger({
    increment: (key, labels = {}, value = 1) => {
      const name = `${key}${labels.reason ?? ''}`
      counts[name] = (counts[name] ?? 0) + value
    },
    set: () => {},
  })
  const inserts: { spans: readonly StoredSpan[]; end(works: boolean): void }[] = []
  const store = new Map<string, bigint>()
  const intake = createSpanIntake({
    insert: (spans) =>
      new Promise((resolve, reject) => {
        inserts.push({
          spans,
          end(works) {
            if (!works) return reject(new Error('away'))
            for (const { span, receivedUnixNano } of spans) store.set(span.spanId, receivedUnixNano)
            resolve()
          },
        })
      }),
    isKnown: (_, spanId) => store.has(spanId),
    onStored: () => {},
    unixNano: () => 5n,
    ledger,
  })
  const take = (...ids: string[]) => {
    ledger.received(ids.length)
    return intake.take(ids.map((spanId) => ({ traceId: 't', spanId }) as Span))
  }
  return { counts, ledger, inserts, store, take, intake }
}

test('copies share the fate of the first: told of success only when it is in the store', async () => {
  const { counts, inserts, take, intake } = setUp()
  const first = take('a', 'b', 'a')
  const second = take('a', 'c')
  let isTold = false
  void second.then(() => {
    isTold = true
  })
  inserts[1]?.end(true)
  await Promise.resolve()
  expect(isTold).toBe(false)
  expect(intake.oldestUnixNano()).toBe(5n)
  inserts[0]?.end(true)
  await Promise.all([first, second])
  expect(counts).toEqual({ spansReceivedTotal: 5, spansStoredTotal: 3, spansDroppedTotalduplicate: 2 })
  expect(intake.oldestUnixNano()).toBeNull()
})

test('a store that is away: all copies are refused, and can come again', async () => {
  const { counts, inserts, store, take } = setUp()
  const [first, second] = [take('a'), take('a')]
  inserts[0]?.end(false)
  await expect(first).rejects.toThrow('away')
  await expect(second).rejects.toThrow('away')
  const again = take('a')
  inserts[1]?.end(true)
  await again
  expect(store.has('a')).toBe(true)
  expect(counts).toEqual({ spansReceivedTotal: 3, spansRejectedTotalstore_unavailable: 2, spansStoredTotal: 1 })
})

test('received = stored + dropped + rejected + in flight, whatever comes and whatever fails', async () => {
  const batch = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(batch, fc.boolean()), { maxLength: 30 }), async (steps) => {
      const { counts, ledger, inserts, store, take } = setUp()
      const waiting: Promise<unknown>[] = []
      const stamps: bigint[] = []
      const balance = () =>
        Object.entries(counts).reduce((sum, [name, value]) => (name.startsWith('spansReceived') ? sum + value : sum - value), 0) -
        ledger.inFlight()
      for (const step of steps) {
        if (Array.isArray(step)) waiting.push(take(...step).catch(() => {}))
        else {
          const insert = inserts.shift()
          stamps.push(...(insert?.spans.map(({ receivedUnixNano }) => receivedUnixNano) ?? []))
          insert?.end(step)
          await new Promise((resolve) => setImmediate(resolve))
        }
        expect(balance()).toBe(0)
      }
      for (const insert of inserts.splice(0)) insert.end(true)
      await Promise.all(waiting)
      expect(balance()).toBe(0)
      expect(ledger.inFlight()).toBe(0)
      expect(counts.spansStoredTotal ?? 0).toBe(store.size)
      expect(new Set(stamps).size).toBe(stamps.length)
    }),
    { numRuns: 200 },
  )
})
