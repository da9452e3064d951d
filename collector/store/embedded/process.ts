// The store process: chDB behind the part of ClickHouse's HTTP interface that @clickhouse/client uses, on a unix socket. It is a child
// of the hub and ends with it. In a process of its own a crash, a hang or too much memory of the engine never takes the hub along.
import { createReadStream, createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Connections, openConnections } from './connections.ts'
import { prepareStatement, quote, type Statement, StatementError } from './statement.ts'

/** Parameters of the HTTP interface that are not settings. */
const NOT_SETTINGS = new Set([
  'query',
  'database',
  'query_id',
  'default_format',
  'session_id',
  'session_timeout',
  'user',
  'password',
  'role',
  'wait_end_of_query',
  'buffer_size',
  'compress',
  'decompress',
  'enable_http_compression',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
])
const SETTING_NAME = /^[a-z][a-z0-9_]*$/
const MAX_STATEMENT_BYTES = 1_048_576
const READERS = 3

interface ProcessSettings {
  data: string
  socket: string
  memoryBytes: number
}

function engineArguments(memoryBytes: number): string[] {
  return [
    `--max_server_memory_usage=${memoryBytes}`,
    `--max_memory_usage=${Math.floor(memoryBytes * 0.6)}`,
    '--output_format_arrow_low_cardinality_as_dictionary=1',
    '--output_format_arrow_compression_method=none',
    // A page of 10,000 ids is half a megabyte of statement.
    '--max_query_size=4194304',
    '--mark_cache_size=67108864',
    '--uncompressed_cache_size=0',
  ]
}

export function startStoreProcess({ data, socket, memoryBytes }: ProcessSettings): void {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const connections = openConnections(join(data, 'chdb'), engineArguments(memoryBytes), READERS)
  const spool = createSpool(join(data, 'spool'))
  const server = createServer({ maxHeaderSize: MAX_STATEMENT_BYTES }, (request, response) => {
    handle(connections, spool, request, response).catch((error) => fail(response, error))
  })
  server.requestTimeout = 0
  server.keepAliveTimeout = 60_000
  server.listen(socket, () => process.send?.('ready'))
}

async function handle(connections: Connections, spool: Spool, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://store')
  if (url.pathname === '/ping') {
    response.end('Ok.\n')
    return
  }
  const inUrl = url.searchParams.get('query')
  const sql = inUrl ?? (await readText(request))
  const statement = prepareStatement({ ...splitParameters(url.searchParams), sql, hasBody: inUrl !== null && hasBody(request) })
  if (statement.kind === 'insert') await insert(connections, spool, statement, request, response)
  else if (statement.kind === 'command') await command(connections, statement.sql, response)
  else if (statement.isStreamable) await streamRows(connections, statement, response)
  else await sendFile(connections, spool, statement, response)
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}

function splitParameters(search: URLSearchParams) {
  const parameters = new Map<string, string>()
  const settings = new Map<string, string>()
  for (const [name, value] of search) {
    if (name.startsWith('param_')) parameters.set(name.slice(6), value)
    else if (!NOT_SETTINGS.has(name) && SETTING_NAME.test(name)) settings.set(name, value)
  }
  return { parameters, settings, defaultFormat: search.get('default_format') ?? 'TabSeparated' }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > MAX_STATEMENT_BYTES) throw new StatementError(`a statement may have at most ${MAX_STATEMENT_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An insert's body goes through a file: chDB takes text only from memory, and it need not be held twice. */
async function insert(
  connections: Connections,
  spool: Spool,
  { fromFile }: Extract<Statement, { kind: 'insert' }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await spool.use(async (path) => {
    await pipeline(request, createWriteStream(path, { mode: 0o600 }))
    const result = await connections.use('insert', (session) => session.queryAsync(fromFile(path)))
    response.setHeader('X-ClickHouse-Summary', JSON.stringify({ written_rows: String(result.rowsRead) }))
  })
  response.end()
}

async function command(connections: Connections, sql: string, response: ServerResponse): Promise<void> {
  await connections.use('command', (session) => session.queryAsync(sql))
  response.end()
}

/** Rows leave as the engine makes them; a client that went away ends the query. */
async function streamRows(
  connections: Connections,
  { sql, format }: Extract<Statement, { kind: 'read' }>,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  await connections.use('read', async (session) => {
    if (gone.signal.aborted) return
    for await (const chunk of session.queryStream(sql, { format, signal: gone.signal })) {
      // It went while the chunk was made: nothing will be drained any more, and leaving the loop ends the query.
      if (gone.signal.aborted) break
      if (!response.headersSent) response.setHeader('X-ClickHouse-Format', format)
      if (!response.write(chunk.raw())) await drained(response, gone.signal)
    }
  })
  response.end()
}

function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      gone.removeEventListener('abort', done)
      resolve()
    }
    if (gone.aborted) return resolve()
    response.on('drain', done)
    gone.addEventListener('abort', done)
  })
}

/** A format with a header or a footer: chDB would repeat them for every chunk, and hold the whole in memory otherwise. */
async function sendFile(
  connections: Connections,
  spool: Spool,
  { sql, format }: Extract<Statement, { kind: 'read' }>,
  response: ServerResponse,
): Promise<void> {
  await spool.use(async (path) => {
    await connections.use('read', (session) => session.queryAsync(intoFile(sql, format, path)))
    response.setHeader('X-ClickHouse-Format', format)
    await pipeline(createReadStream(path, { highWaterMark: 1_048_576 }), response)
  })
}

function intoFile(sql: string, format: string, path: string): string {
  const settings = / SETTINGS .*$/s.exec(sql)?.[0] ?? ''
  return `${sql.slice(0, sql.length - settings.length)} INTO OUTFILE ${quote(path)} FORMAT ${format}${settings}`
}

interface Spool {
  /** Calls `work` with a fresh path and removes the file afterwards. */
  use<T>(work: (path: string) => Promise<T>): Promise<T>
}

function createSpool(directory: string): Spool {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let count = 0
  return {
    async use(work) {
      const path = join(directory, `${count++}.spool`)
      try {
        return await work(path)
      } finally {
        rmSync(path, { force: true })
      }
    },
  }
}

function fail(response: ServerResponse, error: unknown): void {
  const { message, clickhouseCode, code } = error as { message: string; clickhouseCode?: number; code?: string }
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const isStatement = error instanceof StatementError
  response.statusCode = isStatement ? 400 : 500
  if (/^Code: \d+\. DB::Exception/.test(message)) {
    response.setHeader('X-ClickHouse-Exception-Code', String(clickhouseCode ?? 0))
    response.end(message)
    return
  }
  const [number, type] = isStatement ? [62, 'SYNTAX_ERROR'] : code === 'ENOSPC' ? [243, 'NOT_ENOUGH_SPACE'] : [1002, 'UNKNOWN_EXCEPTION']
  response.setHeader('X-ClickHouse-Exception-Code', String(number))
  response.end(`Code: ${number}. DB::Exception: ${message} (${type})`)
}

const [data, socket, memoryBytes] = process.argv.slice(2)
if (data === undefined || socket === undefined) throw new Error('usage: process.ts DATA SOCKET MEMORY_BYTES')
// The hub is gone: so is the reason to be. An exit would wait for running queries, for as long as they take, and keep the directory
// locked; being killed loses nothing that was acknowledged.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Ctrl-C reaches the whole process group; the hub closes the store when it is done with it.
process.on('SIGINT', () => {})
startStoreProcess({ data, socket, memoryBytes: Number(memoryBytes ?? 2_000_000_000) })
