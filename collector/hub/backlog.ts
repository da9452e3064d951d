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
  /** Spans of one read. */
  pieceSpans?: number
}

/** About a third of what may be held. */
const PIECE_SPANS = 20_000

export interface Backlog {
  /** Spans that are in the store now: joined at once, or put off. */
  take(spans: readonly StoredSpan[]): void
  /** Everything in the store from there on is to be joined: what a former hub left. */
  begin(sinceUnixNano: bigint): void
  /** Reads a piece back where there is one and room for it. */
  catchUp(): Promise<void>
  /** From where spans are put off; null when none are. */
  sinceUnixNano(): bigint | null
}

export function createBacklog({ spansSince, add, isFull, hasRoom, pieceSpans = PIECE_SPANS }: BacklogSettings): Backlog {
  let since: bigint | null = null
  /** The oldest span put off since the last read began: a younger one may have been visible to it already. */
  let putOff: bigint | null = null

  return {
    take(spans) {
      const first = spans[0]?.receivedUnixNano
      if (first === undefined) return
      if (since === null && !isFull()) {
        add(spans)
        return
      }
      since = earlier(since, first)
      putOff = earlier(putOff, first)
    },
    begin(sinceUnixNano) {
      since = earlier(since, sinceUnixNano)
    },
    async catchUp() {
      if (since === null || !hasRoom()) return
      let reached = since
      let spans = 0
      putOff = null
      for await (const batch of spansSince(since, pieceSpans)) {
        add(batch)
        spans += batch.length
        reached = (batch.at(-1)?.receivedUnixNano ?? reached) + 1n
      }
      since = spans < pieceSpans ? putOff : earlier(putOff, reached)
    },
    sinceUnixNano: () => since,
  }
}

function earlier(left: bigint | null, right: bigint): bigint {
  return left !== null && left < right ? left : right
}
