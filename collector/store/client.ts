// One way to ClickHouse: @clickhouse/client over HTTP, to the embedded process on a unix socket or to a server by URL. Every
// statement has a time limit; a store that does not answer becomes StoreUnavailable.
import { Agent } from 'node:http'
import type { Readable } from 'node:stream'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { ClickHouseError, ClickHouseLogLevel, createClient, SettingsMap } from '@clickhouse/client'
import { READ_FILTERS } from './schema/requests.ts'
import { StoreUnavailable } from './store.ts'

export interface StoreClientSettings {
  /** Unix socket of the embedded process, or the address of a server. */
  socket?: string
  url?: string
  database?: string
  username?: string
  password?: string
  querySeconds: number
}

export interface StoreClient {
  /** DDL and other statements without an answer. */
  command(sql: string, parameters?: Record<string, unknown>): Promise<void>
  rows<Row>(sql: string, parameters?: Record<string, unknown>): Promise<Row[]>
  /** Any format, as it comes, for as long as it takes; ends with an error where the query fails on the way. */
  stream(sql: string, format: string, parameters?: Record<string, unknown>): Promise<Readable>
  bytes(sql: string, format: string, parameters?: Record<string, unknown>): Promise<Uint8Array>
  /** `statement` without FORMAT, for example `INSERT INTO t (a, b)`. */
  insert(statement: string, format: string, body: Uint8Array): Promise<void>
  ping(): Promise<boolean>
  close(): Promise<void>
}

/** Errors of the engine that mean "not now": no memory, no space, too slow, too many parts, read-only, shutting down. */
const UNAVAILABLE_CODES = new Set(['241', '243', '159', '160', '209', '210', '202', '252', '164', '236', '745'])

/** Records that were amended are read in their newest version only; each partition can be looked at alone, for the key never moves. */
const READ_SETTINGS = {
  final: 1,
  do_not_merge_across_partitions_select_final: 1,
  output_format_json_quote_64bit_integers: 0,
  max_query_size: '4194304',
  additional_table_filters: SettingsMap.from(READ_FILTERS),
} as const
const ARROW_SETTINGS = { output_format_arrow_low_cardinality_as_dictionary: 1, output_format_arrow_compression_method: 'none' } as const

/** Exports and replays move as much as there is, at the pace of whoever reads them. */
const STREAM_SECONDS = 3_600

export function createStoreClient(settings: StoreClientSettings): StoreClient {
  const { querySeconds } = settings
  const client = connect(settings, querySeconds)
  const streaming = connect(settings, STREAM_SECONDS)
  const readSettings = { ...READ_SETTINGS, max_execution_time: querySeconds }

  async function read(
    from: typeof client,
    seconds: number,
    sql: string,
    format: string,
    parameters: Record<string, unknown>,
  ): Promise<Readable> {
    const result = await guard(
      from.exec({
        query: `${sql}\nFORMAT ${format}`,
        query_params: parameters,
        clickhouse_settings: { ...READ_SETTINGS, max_execution_time: seconds, ...(format.startsWith('Arrow') ? ARROW_SETTINGS : {}) },
      }),
    )
    return result.stream
  }

  return {
    stream: (sql, format, parameters = {}) => read(streaming, STREAM_SECONDS, sql, format, parameters),
    async command(sql, parameters = {}) {
      await guard(client.command({ query: sql, query_params: parameters, clickhouse_settings: { max_execution_time: querySeconds } }))
    },
    async rows<Row>(sql: string, parameters: Record<string, unknown> = {}) {
      const result = guard(client.query({ query: sql, query_params: parameters, format: 'JSONEachRow', clickhouse_settings: readSettings }))
      return guard((await result).json<Row>())
    },
    async bytes(sql, format, parameters = {}) {
      return guard(buffer(await read(client, querySeconds, sql, format, parameters)))
    },
    async insert(statement, format, body) {
      const values = new PassThrough()
      values.end(body)
      const result = await guard(
        client.exec({
          query: `${statement} FORMAT ${format}`,
          values,
          clickhouse_settings: { max_execution_time: querySeconds, max_partitions_per_insert_block: '0' },
        }),
      )
      await guard(buffer(result.stream))
    },
    async ping() {
      const result = await client.ping().catch(() => ({ success: false }))
      return result.success
    },
    async close() {
      await Promise.all([client.close(), streaming.close()])
    },
  }
}

function connect({ socket, url, database, username, password }: StoreClientSettings, seconds: number) {
  return createClient({
    url: url ?? 'http://localhost',
    // Each client its own agent: it ends idle sockets by timers that know nothing of another client's requests on them.
    ...(socket === undefined ? {} : { http_agent: socketAgent(socket) }),
    ...(database === undefined ? {} : { database }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    request_timeout: seconds * 1_000 + 5_000,
    compression: { request: false, response: false },
    log: { level: ClickHouseLogLevel.OFF },
    application: 'longpole',
  })
}

function socketAgent(socketPath: string): Agent {
  // `socketPath` is an option of http.request that an agent hands on; its own type does not list it.
  const options = { socketPath, keepAlive: true, maxSockets: 32 }
  return new Agent(options)
}

async function guard<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ClickHouseError && !UNAVAILABLE_CODES.has(error.code)) throw error
    throw new StoreUnavailable(`the store does not answer: ${(error as Error).message}`, { cause: error })
  }
}
