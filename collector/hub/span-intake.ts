// Takes one batch of spans: without what is in the store already, into the store, and only then to the correlator and the sender's
// acknowledgement. A copy of a span whose first insert is still under way shares that insert's fate.
import type { Span } from '@longpole/model/span'
import type { StoredSpan } from '../store/store.ts'
import type { Ledger } from './ledger.ts'

export interface SpanIntakeSettings {
  insert(spans: readonly StoredSpan[]): Promise<void>
  /** In the store, as far as is remembered. */
  isKnown(traceId: string, spanId: string): boolean
  /** Spans that are in the store now. */
  onStored(spans: readonly StoredSpan[]): void
  unixNano(): bigint
  ledger: Ledger
}

export interface SpanIntake {
  /** Resolves when all spans of the batch are in the store; rejects with the store's error when some are not. */
  take(spans: readonly Span[]): Promise<void>
  /** First receive time of the oldest span whose insert is under way. */
  oldestUnixNano(): bigint | null
}

export function createSpanIntake({ insert, isKnown, onStored, unixNano, ledger }: SpanIntakeSettings): SpanIntake {
  /** Span → the insert it is part of. */
  const underWay = new Map<string, Promise<void>>()
  const oldest = new Map<Promise<void>, bigint>()
  let lastUnixNano = 0n

  /** The first of as many stamps as the batch may need: strictly increasing, so that a read can go on behind any of them. */
  function reserve(count: number): bigint {
    const read = unixNano()
    const first = read > lastUnixNano ? read : lastUnixNano + 1n
    lastUnixNano = first + BigInt(count)
    return first
  }

  async function insertFresh(fresh: StoredSpan[], keys: string[]): Promise<void> {
    try {
      await insert(fresh)
      ledger.stored(fresh.length)
      onStored(fresh)
    } catch (error) {
      ledger.rejected('store_unavailable', fresh.length)
      throw error
    } finally {
      for (const key of keys) underWay.delete(key)
    }
  }

  async function follow(inserts: ReadonlyMap<Promise<void>, number>): Promise<void> {
    let failure: unknown
    for (const [under, copies] of inserts) {
      try {
        await under
        ledger.dropped('duplicate', copies)
      } catch (error) {
        ledger.rejected('store_unavailable', copies)
        failure = error
      }
    }
    if (failure !== undefined) throw failure
  }

  return {
    async take(spans) {
      const fresh: StoredSpan[] = []
      const keys: string[] = []
      const own = new Set<string>()
      const others = new Map<Promise<void>, number>()
      let known = 0
      let repeated = 0
      let receivedUnixNano = reserve(spans.length)
      for (const span of spans) {
        const key = span.traceId + span.spanId
        const insertOfOther = underWay.get(key)
        if (own.has(key)) repeated++
        else if (insertOfOther !== undefined) others.set(insertOfOther, (others.get(insertOfOther) ?? 0) + 1)
        else if (isKnown(span.traceId, span.spanId)) known++
        else {
          own.add(key)
          keys.push(key)
          fresh.push({ span, receivedUnixNano: receivedUnixNano++ })
        }
      }
      ledger.dropped('duplicate', known)
      const insertion = fresh.length === 0 ? Promise.resolve() : insertFresh(fresh, keys)
      if (fresh.length > 0) {
        for (const key of keys) underWay.set(key, insertion)
        oldest.set(insertion, (fresh[0] as StoredSpan).receivedUnixNano)
        const forget = () => oldest.delete(insertion)
        insertion.then(forget, forget)
      }
      if (repeated > 0) others.set(insertion, repeated)
      const [stored, followed] = await Promise.allSettled([insertion, follow(others)])
      for (const outcome of [stored, followed]) if (outcome.status === 'rejected') throw outcome.reason
    },
    oldestUnixNano: () => oldest.values().next().value ?? null,
  }
}
