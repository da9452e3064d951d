// Hands OTLP bodies of one signal to a receiver: a bounded queue, retries with backoff, and an account of every item. What is queued
// is either exported, dropped for a stated reason, or in flight; there is no fourth way.
import type { Clock } from '@longpole/model/clock'
import { createPost, type OtlpBody, type Post } from './post.ts'

/** Why items were given up for good. */
export type DropReason = 'queue_full' | 'refused' | 'partial_success' | 'shutdown'
/** Why a try was in vain. */
export type RejectReason = 'unavailable' | 'unreachable' | 'timeout'

export interface ExportAccount {
  exported(items: number): void
  dropped(items: number, reason: DropReason): void
  /** The items stay in flight: they will be sent again. */
  rejected(items: number, reason: RejectReason): void
}

export interface ExporterSettings {
  /** Where the bodies go, for example http://127.0.0.1:4318/v1/traces. */
  url: URL
  headers?: Readonly<Record<string, string>>
  /** Beyond either limit the oldest bodies that are not being sent are dropped. */
  maxQueueBytes: number
  maxQueueItems: number
  /** Bodies being sent at once. */
  concurrency?: number
  timeoutMs?: number
  /** First and longest pause between two tries, milliseconds; doubled each time, less up to half at random. */
  backoff?: { firstMs: number; mostMs: number }
  clock: Clock
  /** In [0, 1). */
  random: () => number
  account: ExportAccount
  /** Stands in for the network in tests. */
  post?: Post
}

export interface Exporter {
  /** Takes a body of so many items (spans, data points, log records); never throws, never waits. */
  enqueue(body: OtlpBody, items: number): void
  inFlight(): { items: number; bytes: number; oldestMs: number }
  /** 0 to 1: how full the queue is. */
  fullness(): number
  /** Sends what is there; true when all of it is gone within `limitMs`. Backoff is cut short. */
  flush(limitMs: number): Promise<boolean>
  /** Drops what is left. */
  close(): void
}

interface Queued {
  body: OtlpBody
  items: number
  sinceMs: number
  sending: boolean
}

export function createExporter(settings: ExporterSettings): Exporter {
  const { clock, account, maxQueueBytes, maxQueueItems, concurrency = 4 } = settings
  const backoff = settings.backoff ?? { firstMs: 500, mostMs: 30_000 }
  const post = settings.post ?? createPost({ url: settings.url, headers: settings.headers ?? {}, timeoutMs: settings.timeoutMs ?? 10_000 })
  const queue: Queued[] = []
  let items = 0
  let bytes = 0
  let active = 0
  let failures = 0
  let pause: NodeJS.Timeout | null = null
  let closed = false
  const onChange = new Set<() => void>()

  function remove(entry: Queued): void {
    queue.splice(queue.indexOf(entry), 1)
    items -= entry.items
    bytes -= entry.body.bytes.length
    for (const listener of onChange) listener()
  }

  function makeRoom(): void {
    while (items > maxQueueItems || bytes > maxQueueBytes) {
      const oldest = queue.find((entry) => !entry.sending)
      if (oldest === undefined) return
      remove(oldest)
      account.dropped(oldest.items, 'queue_full')
    }
  }

  function pump(): void {
    while (!closed && pause === null && active < concurrency) {
      const next = queue.find((entry) => !entry.sending)
      if (next === undefined) return
      next.sending = true
      active++
      void sendOne(next)
    }
  }

  async function sendOne(entry: Queued): Promise<void> {
    const result = await post(entry.body)
    active--
    entry.sending = false
    if (closed) return
    if (result.kind === 'again') {
      account.rejected(entry.items, result.reason)
      rest(result.waitMs)
      makeRoom()
      return
    }
    failures = 0
    remove(entry)
    if (result.kind === 'refused') account.dropped(entry.items, 'refused')
    else {
      const refused = Math.min(result.refused, entry.items)
      if (refused > 0) account.dropped(refused, 'partial_success')
      account.exported(entry.items - refused)
    }
    pump()
  }

  /** Nobody sends until the pause is over: a receiver that is down is not asked four times at once. */
  function rest(waitMs: number | null): void {
    if (pause !== null) return
    const doubled = Math.min(backoff.mostMs, backoff.firstMs * 2 ** failures)
    failures++
    const ms = waitMs === null ? doubled * (1 - settings.random() / 2) : Math.min(waitMs, backoff.mostMs)
    pause = setTimeout(resume, ms)
    pause.unref()
  }

  function resume(): void {
    if (pause !== null) clearTimeout(pause)
    pause = null
    pump()
  }

  return {
    enqueue(body, count) {
      if (closed) {
        account.dropped(count, 'shutdown')
        return
      }
      queue.push({ body, items: count, sinceMs: clock.monotonicMs(), sending: false })
      items += count
      bytes += body.bytes.length
      makeRoom()
      pump()
    },
    inFlight: () => ({ items, bytes, oldestMs: queue.length === 0 ? 0 : clock.monotonicMs() - (queue[0] as Queued).sinceMs }),
    fullness: () => Math.max(items / maxQueueItems, bytes / maxQueueBytes),
    flush(limitMs) {
      resume()
      if (queue.length === 0) return Promise.resolve(true)
      return new Promise((resolve) => {
        const done = (all: boolean) => {
          clearTimeout(limit)
          onChange.delete(check)
          resolve(all)
        }
        const check = () => queue.length === 0 && done(true)
        const limit = setTimeout(() => done(false), limitMs)
        onChange.add(check)
      })
    },
    close() {
      closed = true
      if (pause !== null) clearTimeout(pause)
      for (const entry of queue.splice(0)) account.dropped(entry.items, 'shutdown')
      items = 0
      bytes = 0
      post.close()
    },
  }
}
