import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredSpan } from '../store/store.ts'
import { createBacklog } from './backlog.ts'

test('every span is joined in the end, whatever the store shows when and however little room there is', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('receive' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('commit' as const), index: fc.nat(3) }),
    fc.record({ kind: fc.constant('catchUp' as const) }),
    fc.record({ kind: fc.constant('settle' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      let stamp = 0n
      const visible: StoredSpan[] = []
      const underWay: StoredSpan[][] = []
      const joined = new Set<bigint>()
      let held = 0
      let interleaved = 2
      const backlog = createBacklog({
        async *spansSince(from, limit) {
          const found = visible
            .filter((entry) => entry.receivedUnixNano >= from)
            .sort((a, b) => Number(a.receivedUnixNano - b.receivedUnixNano))
          for (const entry of found.slice(0, limit)) {
            yield [entry]
            // Others go on meanwhile: one that began later may be in the store earlier.
            if (interleaved === Number.NEGATIVE_INFINITY) continue
            underWay.push([{ receivedUnixNano: ++stamp } as StoredSpan])
            if (interleaved-- > 0) commit(underWay.length - 1)
            else if (interleaved < -3) interleaved = 2
          }
        },
        add(spans) {
          for (const { receivedUnixNano } of spans) {
            if (!joined.has(receivedUnixNano)) held++
            joined.add(receivedUnixNano)
          }
        },
        isFull: () => held > 6,
        hasRoom: () => held < 4,
        pieceSpans: 4,
      })
      const commit = (index: number) => {
        const [batch] = underWay.splice(index % underWay.length, 1)
        visible.push(...(batch as StoredSpan[]))
        backlog.take(batch as StoredSpan[])
      }
      for (const one of steps) {
        if (one.kind === 'receive') underWay.push(Array.from({ length: one.count }, () => ({ receivedUnixNano: ++stamp }) as StoredSpan))
        else if (one.kind === 'commit' && underWay.length > 0) commit(one.index)
        else if (one.kind === 'catchUp') await backlog.catchUp()
        else if (one.kind === 'settle') held = 0
      }
      while (underWay.length > 0) commit(0)
      for (let round = 0; backlog.sinceUnixNano() !== null && round < 200; round++) {
        held = 0
        await backlog.catchUp()
        while (underWay.length > 0) commit(0)
        if (round > 20) interleaved = Number.NEGATIVE_INFINITY
      }
      expect(backlog.sinceUnixNano()).toBeNull()
      expect(joined.size).toBe(visible.length)
    }),
    { numRuns: 500 },
  )
})
