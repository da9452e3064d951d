// `longpole export`: requests as a table, through the hub's API, to a file or to standard output.
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { addHubOptions, askHub, type HubOptions } from '../hub-client.ts'
import { InputError } from '../input-error.ts'

const FORMATS = ['ndjson', 'arrow', 'parquet', 'csv'] as const
const BINARY = new Set<string>(['arrow', 'parquet'])

interface Options extends HubOptions {
  format: (typeof FORMATS)[number]
  out?: string
  from?: string
  to?: string
  where: [string, string][]
  columns?: string
  limit?: string
  slo?: string
  result?: string
  json?: boolean
}

export function createCommand(): Command {
  const command = new Command('export')
    .description('Write requests as a table: NDJSON, Arrow, Parquet or CSV.')
    .addOption(new Option('--format <format>', 'of the table').choices([...FORMATS]).default('ndjson'))
    .option('--out <file>', 'file to write; without it standard output')
    .option('--from <instant>', 'requests that started at or after: Unix seconds, nanoseconds or RFC 3339')
    .option('--to <instant>', 'requests that started before')
    .option('--where <column=value>', 'only these; the same column several times means any of the values', collectCondition, [])
    .option('--columns <a,b,c>', 'columns to write, or `all` for source and exactness of every phase too')
    .option('--limit <rows>', 'at most so many')
    .option('--slo <name>', 'with --result: ttft, tpot, stall, e2e, goodput or availability')
    .addOption(new Option('--result <result>', 'only requests that met (good) or missed (bad) the objective').choices(['good', 'bad']))
    .option('--json', 'say what was written as one line of JSON (with --out)')
  return addHubOptions(command)
    .addHelpText(
      'after',
      `
Examples
  longpole export --format parquet --out requests.parquet --from 2026-11-24T12:00:00Z
  longpole export --where model=deepseek-v3 --where outcome=error --where outcome=timeout --columns start_unix_ns,replica,e2e
  longpole export --format arrow --out bad.arrow --slo ttft --result bad

Exit status: 0 written, 2 bad input, 1 the hub does not answer or the transfer broke off.`,
    )
    .action(run)
}

function collectCondition(text: string, previous: [string, string][]): [string, string][] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InputError(`--where: expected column=value, got ${text}`)
  return [...previous, [text.slice(0, equals), text.slice(equals + 1)]]
}

async function run(options: Options): Promise<void> {
  if (options.out === undefined && BINARY.has(options.format) && process.stdout.isTTY) {
    throw new InputError(`--format ${options.format} is not for a terminal: give --out or a pipe`)
  }
  const startMs = performance.now()
  const response = await askHub(options, '/api/v1/export', { query: queryOf(options) })
  if (response.body === null) throw new InputError('the hub sent nothing', 1)
  const counted = countBytes(options.out !== undefined && process.stderr.isTTY)
  const body = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream)
  if (options.out === undefined) {
    await pipeline(body, counted.stream, process.stdout, { end: false }).catch(rejectBroken)
    return
  }
  await writeFile(options.out, async (path) => pipeline(body, counted.stream, createWriteStream(path)).catch(rejectBroken))
  const seconds = (performance.now() - startMs) / 1_000
  const written = { file: options.out, format: options.format, bytes: counted.bytes(), seconds: Number(seconds.toFixed(3)) }
  process.stdout.write(
    options.json === true ? `${JSON.stringify(written)}\n` : `${options.out}: ${formatBytes(written.bytes)} in ${seconds.toFixed(1)} s\n`,
  )
}

function queryOf(options: Options): URLSearchParams {
  const query = new URLSearchParams(options.where)
  for (const name of ['format', 'from', 'to', 'columns', 'limit', 'slo', 'result'] as const) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  return query
}

/** The file has its name only when it is whole. */
async function writeFile(file: string, write: (path: string) => Promise<void>): Promise<void> {
  const part = `${file}.part`
  try {
    await write(part)
    renameSync(part, file)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

function rejectBroken(error: NodeJS.ErrnoException): never {
  if (error.syscall === 'open') throw new InputError(`--out: ${error.message}`)
  throw new InputError(`the transfer broke off: ${error.message}`, 1)
}

function countBytes(showProgress: boolean) {
  let bytes = 0
  let shownMs = performance.now()
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (showProgress && performance.now() - shownMs > 200) {
        shownMs = performance.now()
        process.stderr.write(`\r${formatBytes(bytes)} …`)
      }
      done(null, chunk)
    },
    flush(done) {
      if (showProgress) process.stderr.write('\r')
      done()
    },
  })
  return { stream, bytes: () => bytes }
}

function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}
