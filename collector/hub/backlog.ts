// Spans that came faster than they could be joined: they are in the store, so they are not kept in memory but read back from there when
// there is room again. The store is the queue, and its end is known when a read found everything and nothing was put off meanwhile.
import type { StoredSpan } from '../store/store.ts'

export interface BacklogSettings {
  /** At most so many spans first received at or after the instant, oldest first. */
  spansSince(unixNano: bigint, limit: number): AsyncIterable<readonly StoredSpan[]>
  add(spans: readonly StoredSpan[]): void
  /** More is held than may be. */
  isFull(): boolean
  /** There is room for a good piece of the backlog. */
  hasRoom(): boolean
  /** First receive time of the oldest span whose insert is under way: it will be visible later than younger ones. */
  oldestUnderWay(): bigint | null
}

/** About a third of what may be held. */
const PIECE_SPANS = 20_000

export interface Backlog {
  /** Spans that are in the store now: joined at once, or put off. */
  take(spans: readonly StoredSpan[]): void
  /** Reads a piece back where there is one and room for it. */
  catchUp(): Promise<void>
  /** From where spans are put off; null when none are. */
  sinceUnixNano(): bigint | null
}

export function createBacklog({ spansSince, add, isFull, hasRoom, oldestUnderWay }: BacklogSettings): Backlog {
  let since: bigint | null = null
  let putOff = 0

  return {
    take(spans) {
      const first = spans[0]
      if (first === undefined) return
      if (since === null && !isFull()) {
        add(spans)
        return
      }
      since = since === null || first.receivedUnixNano < since ? first.receivedUnixNano : since
      putOff += spans.length
    },
    async catchUp() {
      if (since === null || !hasRoom()) return
      const floor = oldestUnderWay()
      const from = since
      putOff = 0
      let reached = from
      let spans = 0
      for await (const batch of spansSince(from, PIECE_SPANS)) {
        add(batch)
        spans += batch.length
        reached = (batch.at(-1)?.receivedUnixNano ?? reached) + 1n
      }
      const isEnd = spans < PIECE_SPANS && putOff === 0
      since = isEnd ? null : floor !== null && floor < reached ? floor : reached
    },
    sinceUnixNano: () => since,
  }
}
