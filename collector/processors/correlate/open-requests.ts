// Requests in flight, as sidecars report them every 5 s: a fleet that hangs must look ill, not quiet. A request leaves when its span
// comes, or when nobody has spoken of it for a while.
import type { Clock } from '@longpole/model/clock'
import type { OpenRequest } from '@longpole/model/observation'
import { emptyColumns } from '@longpole/model/request-columns'
import { promptClass, type RequestRecord } from '@longpole/model/request-record'
import { recordId } from './assemble.ts'

export interface OpenRequests {
  /** One look of a sidecar at a request. */
  report(request: OpenRequest): void
  /** Its span came: reports that are still under way are ignored from now on. */
  ended(traceId: string, spanId: string): void
  /** Those in flight with their age now, oldest first. */
  list(): OpenRequest[]
  /** Those that became old enough since the last call to be kept as rows with outcome `open`, each once. */
  takeUnwritten(): RequestRecord[]
  /** Takes out those that nobody speaks of any more. */
  takeLost(): RequestRecord[]
  size(): number
  /** Reports refused because the table was full. */
  refused(): number
}

/** Five missed reports. */
const SILENT_MS = 25_000
/** Younger ones mostly end before anybody looks. */
const WRITE_AGE_SECONDS = 5
const MAX_ENDED = 50_000

interface Entry {
  request: OpenRequest
  reportedMs: number
  firstReceivedUnixNano: bigint
  isWritten: boolean
}

export function createOpenRequests({ clock, maxRequests }: { clock: Clock; maxRequests: number }): OpenRequests {
  const open = new Map<string, Entry>()
  const ended = new Set<string>()
  let refused = 0

  return {
    report(request) {
      const key = request.traceId + request.spanId
      if (ended.has(key)) return
      const known = open.get(key)
      if (known !== undefined) {
        if (request.observedUnixNano >= known.request.observedUnixNano) known.request = request
        known.reportedMs = clock.monotonicMs()
        return
      }
      if (open.size >= maxRequests) {
        refused++
        return
      }
      open.set(key, { request, reportedMs: clock.monotonicMs(), firstReceivedUnixNano: clock.unixNano(), isWritten: false })
    },
    ended(traceId, spanId) {
      const key = traceId + spanId
      if (!open.delete(key)) return
      ended.add(key)
      if (ended.size > MAX_ENDED) ended.delete(ended.keys().next().value as string)
    },
    list() {
      const now = clock.monotonicMs()
      return [...open.values()]
        .map(({ request, reportedMs }) => ({ ...request, ageSeconds: request.ageSeconds + (now - reportedMs) / 1e3 }))
        .sort((left, right) => right.ageSeconds - left.ageSeconds)
    },
    takeUnwritten() {
      const rows: RequestRecord[] = []
      for (const entry of open.values()) {
        if (entry.isWritten || entry.request.ageSeconds < WRITE_AGE_SECONDS) continue
        entry.isWritten = true
        rows.push(rowOf(entry))
      }
      return rows
    },
    takeLost() {
      const rows: RequestRecord[] = []
      const oldest = clock.monotonicMs() - SILENT_MS
      for (const [key, entry] of open) {
        if (entry.reportedMs > oldest) continue
        open.delete(key)
        if (entry.isWritten) rows.push({ ...rowOf(entry), outcome: 'error', error_class: 'lost' })
      }
      return rows
    },
    size: () => open.size,
    refused: () => refused,
  }
}

/** A row with outcome `open` and no duration: version 0, so that the record takes its place when the request ends. */
function rowOf({ request, firstReceivedUnixNano }: Entry): RequestRecord {
  const columns = { ...emptyColumns(), ...request.columns }
  return {
    ...columns,
    trace_id: request.traceId,
    record_id: recordId(request.traceId, request.spanId),
    request_id: request.requestId === '' ? null : request.requestId,
    start_unix_ns: request.startUnixNano,
    received_unix_ns: firstReceivedUnixNano,
    version: 0,
    prompt_class: columns.prompt_class ?? promptClass(columns.prompt_tokens),
    joined: ['sidecar'],
    e2e: null,
    outcome: 'open',
    vantage: 'sidecar',
    phases: [],
    overlays: [],
    hops: [],
    attempt_list: [],
  }
}
