// What the hub needs of a store. One implementation: ClickHouse SQL over HTTP through @clickhouse/client, whether the server is the
// embedded chDB process on a unix socket or a cluster by URL.
import type { Readable } from 'node:stream'
import type { ApiVerdict } from '@longpole/model/api'
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Span } from '@longpole/model/span'

/** A span as stored: with the time it was first received, which is the sorting key and never changes. */
export interface StoredSpan {
  span: Span
  receivedUnixNano: bigint
}

export interface RequestFilter {
  /** Unix nanoseconds, on the record's start. */
  from?: bigint
  to?: bigint
  /** Equality on dictionary columns; several values are alternatives. */
  where?: Record<string, string[]>
  outcome?: string[]
  /** A further condition in SQL, made by the hub and never from what a user typed. */
  condition?: string
  order?: 'start' | 'e2e' | 'ttft'
  limit?: number
  cursor?: string
}

export interface Store {
  /** Resolves when the spans are in the store: only then may a sender be acknowledged. Rejects with StoreUnavailable when it is away. */
  insertSpans(spans: readonly StoredSpan[]): Promise<void>
  /** A later version of the same record replaces the earlier one for every reader. */
  insertRecords(records: readonly RequestRecord[]): Promise<void>
  /** Readers see these records no more: two turned out to be one request. */
  deleteRecords(recordIds: readonly string[]): Promise<void>
  /** Bulk path: a whole Arrow IPC stream of record rows, as `longpole simulate --format arrow` writes them. */
  insertRecordTable(arrow: Uint8Array): Promise<void>
  insertSamples(samples: readonly EngineSample[]): Promise<void>
  insertEvents(events: readonly ChangeEvent[]): Promise<void>
  insertFindings(findings: readonly Finding[]): Promise<void>
  insertVerdict(verdict: ApiVerdict, unixNano: bigint): Promise<void>

  requests(filter: RequestFilter): Promise<{ items: RequestRecord[]; next: string | null }>
  /** By record id; null where there is none. */
  request(recordId: string): Promise<RequestRecord | null>
  /** Distinct spans of the traces first received at or after the instant, each trace's in the order of their start. */
  spansOfTraces(traceIds: readonly string[], sinceUnixNano?: bigint): Promise<Span[]>
  /** Spans first received at or after the instant, oldest first: what a restarted hub correlates again. */
  spansSince(receivedUnixNano: bigint, limit?: number): AsyncIterable<StoredSpan[]>
  findings(filter: { open?: boolean; limit?: number }): Promise<Finding[]>
  events(from: bigint, to: bigint): Promise<ChangeEvent[]>

  /**
   * Rows of any SELECT; `{name:Type}` parameters. Every query carries max_execution_time and `final`: of a record that was amended
   * only the newest version is seen. Numbers come as JSON numbers: select instants with toString(), they are not exact otherwise.
   */
  query<Row>(sql: string, parameters?: Record<string, unknown>): Promise<Row[]>
  /** The same as an Arrow IPC stream, dictionaries kept: what the localizer reads. */
  queryArrow(sql: string, parameters?: Record<string, unknown>): Promise<Uint8Array>

  /** The same in any format of ClickHouse, as a stream: exports. Ends with an error where the query fails on the way. */
  export(sql: string, format: string, parameters?: Record<string, unknown>): Promise<Readable>

  /** Bytes on disk and the free part of the limit or the disk, the smaller. */
  usage(): Promise<{ bytes: number; freeRatio: number }>
  ready(): Promise<boolean>
  close(): Promise<void>
}

/** The store did not take or answer: the caller tells its sender to come again. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** The store cannot be opened as it is configured: names the key and says what to do. */
export class StoreConfigError extends Error {
  override readonly name = 'StoreConfigError'
  readonly exitStatus = 2
}
