// What happens right now, kept in memory: the requests in flight and the last ones that settled. The page and /open read it, so that
// they are as fast as ever while the store is busy.
import type { ApiOpenRequest, ApiRequest } from '@longpole/model/api'
import type { OpenRequest } from '@longpole/model/observation'
import type { RequestRecord } from '@longpole/model/request-record'
import { presentOpen, presentRequest } from './present.ts'

export interface LiveFeed {
  /** A record settled or was amended. */
  settled(record: RequestRecord): void
  /** All requests in flight, oldest first, with the objectives whose deadline has passed (as RequestMetrics.open returns them). */
  open(requests: readonly OpenRequest[], late: readonly (readonly string[])[]): void
  openRequests(): readonly ApiOpenRequest[]
  /** The latest records, newest first. */
  recent(): readonly ApiRequest[]
  /** Calls back on every settled record until the returned function is called. */
  subscribe(listener: (request: ApiRequest) => void): () => void
}

const MAX_RECENT = 200

export function createLiveFeed(): LiveFeed {
  let openRequests: ApiOpenRequest[] = []
  /** By record id, oldest first: an amended record takes the place of its former self. */
  const recent = new Map<string, RequestRecord>()
  const listeners = new Set<(request: ApiRequest) => void>()

  return {
    settled(record) {
      recent.delete(record.record_id)
      recent.set(record.record_id, record)
      if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value as string)
      if (listeners.size === 0) return
      const request = presentRequest(record)
      for (const listener of listeners) listener(request)
    },
    open(requests, late) {
      openRequests = requests.map((request, index) => presentOpen(request, late[index] ?? []))
    },
    openRequests: () => openRequests,
    recent: () => [...recent.values()].reverse().map(presentRequest),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
