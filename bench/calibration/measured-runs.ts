// Runs of a real vLLM (requests.jsonl and meta.json of a folder): the engine model is fitted on the first half of the requests and scored
// on the second, which it has not seen.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineSpec } from '../../src/simulator/fleet/fleet.ts'
import { type Arrival, PLAIN_SPEC, type Served, serveAlone } from './lone-engine.ts'
import { minimise } from './minimise.ts'

interface MeasuredRequest {
  input_toks: number
  output_toks: number
  queued_ts: number
  scheduled_ts: number
  first_token_ts: number
  last_token_ts: number
}

interface Meta {
  model: string
  engine_kwargs: { data_parallel_size: number; max_num_seqs: number; max_num_batched_tokens: number }
  kv_cache?: { num_kv_tokens: number }
}

export interface RunScore {
  run: string
  /** Metric → [measured, simulated], seconds, on the second half. */
  metrics: Record<string, [number, number]>
  parameters: Record<string, number>
}

const ROUNDS = 300
/** Below this a queue is no queue: one turn of the engine's loop. */
const FLOOR_SECONDS = 0.001
/** KV memory of runs that do not tell theirs. */
const LARGE_KV_TOKENS = 400_000

export function findRuns(directory: string): string[] {
  const isRun = (path: string) => existsSync(join(path, 'requests.jsonl')) && existsSync(join(path, 'meta.json'))
  if (isRun(directory)) return [directory]
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => findRuns(join(directory, name)))
}

export function scoreRun(path: string): RunScore {
  const rows = readRows(join(path, 'requests.jsonl'))
  const meta: Meta = JSON.parse(readFileSync(join(path, 'meta.json'), 'utf8'))
  const zero = (rows[0] as MeasuredRequest).queued_ts
  const arrivals: Arrival[] = rows.map((row) => ({ at: row.queued_ts - zero, promptTokens: row.input_toks, outputTokens: row.output_toks }))
  const measured: Served[] = rows.map((row, index) => ({
    arrival: arrivals[index] as Arrival,
    queue: row.scheduled_ts - row.queued_ts,
    prefill: row.first_token_ts - row.scheduled_ts,
    tpot: row.output_toks > 1 ? (row.last_token_ts - row.first_token_ts) / (row.output_toks - 1) : Number.NaN,
    cachedTokens: 0,
  }))
  const half = rows.length >> 1
  const simulate = (logs: readonly number[]) => serveAlone(specOf(meta, logs), arrivals, 1).served
  const cost = (logs: readonly number[]) => misfit(measured.slice(0, half), simulate(logs).slice(0, half))
  // Two starts, for the simplex may settle in a side valley.
  const starts = [
    [0.02, 1e-4, 1e-7, 1e-4, 1e-3],
    [0.01, 3e-4, 3e-8, 5e-5, 1e-2],
  ]
  const [fitted] = starts.map((start) => minimise(start.map(Math.log), cost, ROUNDS, 0.5)).sort((a, b) => cost(a) - cost(b)) as [number[]]
  const expected = metricsOf(measured.slice(half))
  const got = metricsOf(simulate(fitted).slice(half))
  const [base, sequence, context, token, chunk] = fitted.map(Math.exp) as [number, number, number, number, number]
  return {
    run: meta.model,
    metrics: Object.fromEntries(Object.keys(expected).map((key) => [key, [expected[key] as number, got[key] as number]])),
    parameters: {
      'decode ms': base * 1e3,
      'per sequence ms': sequence * 1e3,
      'per kilotoken of context ms': context * 1e6,
      'per kilotoken of prompt ms': token * 1e6,
      'chunk ms': chunk * 1e3,
    },
  }
}

function specOf(meta: Meta, logs: readonly number[]): EngineSpec {
  const [base, sequence, context, token, chunk] = logs.map(Math.exp) as [number, number, number, number, number]
  const { data_parallel_size, max_num_seqs, max_num_batched_tokens } = meta.engine_kwargs
  return {
    ...PLAIN_SPEC,
    rankNames: Array.from({ length: data_parallel_size }, (_, index) => String(index)),
    timing: {
      decode: { base, perSequence: sequence, perContextToken: context, communicationShare: 0, memoryShare: 0 },
      prefill: { base, perToken: token, perSquare: 0, perChunk: chunk },
    },
    kvTokens: meta.kv_cache?.num_kv_tokens ?? LARGE_KV_TOKENS,
    maxSequences: max_num_seqs,
    maxBatchedTokens: max_num_batched_tokens,
  }
}

function readRows(path: string): MeasuredRequest[] {
  const rows = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index): MeasuredRequest => {
      try {
        return JSON.parse(line)
      } catch (error) {
        throw new Error(`${path}:${index + 1}: not JSON: ${(error as Error).message}`)
      }
    })
  return rows.sort((a, b) => a.queued_ts - b.queued_ts)
}

function sortedValues(rows: readonly Served[], value: (row: Served) => number): Float64Array {
  return Float64Array.from(rows.map(value).filter((entry) => !Number.isNaN(entry))).sort()
}

function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN
}

function metricsOf(rows: readonly Served[]): Record<string, number> {
  const queue = sortedValues(rows, (row) => row.queue)
  const prefill = sortedValues(rows, (row) => row.prefill)
  const tpot = sortedValues(rows, (row) => row.tpot)
  return {
    'queue p50': quantile(queue, 0.5),
    'queue p90': quantile(queue, 0.9),
    'prefill p50': quantile(prefill, 0.5),
    'prefill p90': quantile(prefill, 0.9),
    'TPOT p50': quantile(tpot, 0.5),
    'TPOT p90': quantile(tpot, 0.9),
  }
}

/** Errors of the median and the 90th percentile, and of the TPOT of each request: early and late ones tell batch and context apart. */
function misfit(measured: readonly Served[], simulated: readonly Served[]): number {
  const expected = metricsOf(measured)
  const got = metricsOf(simulated)
  let sum = 0
  for (const key of Object.keys(expected))
    sum += relativeError(expected[key] as number, got[key] as number) * (key.startsWith('TPOT') ? 3 : 1)
  let each = 0
  measured.forEach((row, index) => {
    const other = simulated[index]?.tpot
    if (!Number.isNaN(row.tpot) && other !== undefined) each += relativeError(row.tpot, other)
  })
  sum += (6 * each) / measured.length
  return Number.isFinite(sum) ? sum : 1e9
}

export function relativeError(expected: number, got: number): number {
  if (expected < FLOOR_SECONDS && got < FLOOR_SECONDS) return 0
  return Math.abs(got - expected) / Math.max(expected, FLOOR_SECONDS)
}
