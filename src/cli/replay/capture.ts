// A directory of captures as what can be replayed: OTLP bodies, metrics pages, recorded exchanges. Nothing is read whole until its turn.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { decodeTraces } from '../../wire/otlp/decode.ts'
import { decodeLogs } from '../../wire/otlp/decode-logs.ts'
import { decodeMetrics } from '../../wire/otlp/decode-metrics.ts'
import { InputError } from '../input-error.ts'

export type Signal = 'traces' | 'metrics' | 'logs'

export interface OtlpBody {
  file: string
  signal: Signal
  contentType: 'application/x-protobuf' | 'application/json'
  body: Uint8Array
}

export interface MetricsPage {
  file: string
  /** Folder and name of the page: which pages came from one server is not recorded. */
  replica: string
  text: string
}

export interface CaptureFiles {
  otlp: string[]
  pages: string[]
  exchanges: string[]
}

/** Every file under the directory that is one of the three kinds, in the order of their paths. */
export function findCaptureFiles(directory: string): CaptureFiles {
  const files = listFiles(directory)
  const known = new Set(files)
  const otlp = files.filter((file) => {
    if (file.endsWith('.bin')) return true
    return file.endsWith('.json') && !known.has(`${file.slice(0, -'.json'.length)}.bin`)
  })
  return {
    otlp,
    pages: files.filter((file) => /^metrics-.*\.prom$/.test(basename(file))),
    exchanges: files.filter((file) => file.endsWith('.sse.jsonl')),
  }
}

function listFiles(directory: string): string[] {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(`replay: expected a directory of captures, got ${JSON.stringify(directory)}`)
  }
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Null for a file that is no OTLP body: other JSON lies beside the captures. */
export function readOtlpBody(file: string): OtlpBody | null {
  const body = readFileSync(file)
  if (file.endsWith('.json')) {
    const signal = signalOfJson(body)
    return signal === null ? null : { file, signal, contentType: 'application/json', body }
  }
  const signal = signalOfProtobuf(body)
  return signal === null ? null : { file, signal, contentType: 'application/x-protobuf', body }
}

function signalOfJson(body: Buffer): Signal | null {
  const key = /^\s*\{\s*"(resourceSpans|resourceMetrics|resourceLogs)"/.exec(body.subarray(0, 256).toString('utf8'))?.[1]
  if (key === undefined) return null
  return key === 'resourceSpans' ? 'traces' : key === 'resourceMetrics' ? 'metrics' : 'logs'
}

/** The three requests share their frame, so only what stands inside tells them apart: spans have ids, metrics names. */
function signalOfProtobuf(body: Buffer): Signal | null {
  const readers: [Signal, () => number][] = [
    ['traces', () => decodeTraces(body).spans.length],
    ['metrics', () => decodeMetrics(body).metrics.length],
    ['logs', () => decodeLogs(body).records.length],
  ]
  for (const [signal, count] of readers) {
    try {
      if (count() > 0) return signal
    } catch {
      // Not this signal: the next reader says whether it is another.
    }
  }
  return null
}

export function readPage(directory: string, file: string): MetricsPage {
  const name = basename(file).replace(/^metrics-(.*)\.prom$/, '$1')
  return { file, replica: join(basename(resolve(directory)), relative(directory, dirname(file)), name), text: readFileSync(file, 'utf8') }
}
