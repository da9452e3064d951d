// Real request traces as a workload: Azure's LLM inference traces (CSV) and Mooncake's (JSONL with prefix block ids). Times keep their
// shape; more load is several copies of the trace shifted against each other, less is a share of its requests, never faster time.
import { uniform } from '../core/random.ts'
import { BLOCK_TOKENS } from '../core/request.ts'

export interface TraceRow {
  /** Seconds from the trace's first request. */
  at: number
  promptTokens: number
  outputTokens: number
  /** Prefix blocks of 512 tokens, where the trace has them. */
  blocks: readonly number[] | null
}

/** A line that is not what it should be: names file, line and key. */
export class TraceError extends Error {
  override readonly name = 'TraceError'

  constructor(file: string, line: number, key: string, expected: string, got: unknown) {
    super(`${file}:${line}: ${key}: expected ${expected}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`)
  }
}

/** Tokens of a block of Mooncake's traces, and how many of the simulator's own make one. */
const TRACE_BLOCK_TOKENS = 512
const BLOCKS_IN_TRACE_BLOCK = TRACE_BLOCK_TOKENS / BLOCK_TOKENS
/** Mooncake's stamps sit on ticks of three seconds. */
const TICK_SECONDS = 3

/** Whether the first line is one of a trace that `parseTrace` reads. */
export function looksLikeTrace(file: string, text: string): boolean {
  const first = text.slice(0, text.indexOf('\n') + 1 || undefined)
  return file.endsWith('.csv') ? first.includes('TIMESTAMP') : file.endsWith('.jsonl') && /"timestamp"\s*:/.test(first)
}

/** Throws TraceError. */
export function parseTrace(file: string, text: string): TraceRow[] {
  const lines = text.split('\n')
  const rows = file.endsWith('.csv') ? parseAzure(file, lines) : parseMooncake(file, lines)
  if (rows.length === 0) throw new TraceError(file, 1, 'rows', 'at least one request', 0)
  rows.sort((a, b) => a.at - b.at)
  const first = (rows[0] as TraceRow).at
  return rows.map((row) => ({ ...row, at: row.at - first }))
}

function parseAzure(file: string, lines: readonly string[]): TraceRow[] {
  const header = (lines[0] ?? '').trim().split(',')
  const column = (name: string) => {
    const index = header.indexOf(name)
    if (index < 0) throw new TraceError(file, 1, 'header', `a column ${name}`, lines[0])
    return index
  }
  const [time, prompt, output] = [column('TIMESTAMP'), column('ContextTokens'), column('GeneratedTokens')]
  const rows: TraceRow[] = []
  lines.forEach((line, index) => {
    if (index === 0 || line.trim() === '') return
    const cells = line.trim().split(',')
    const at = Date.parse(`${(cells[time] ?? '').slice(0, 23).replace(' ', 'T')}Z`) / 1e3
    if (Number.isNaN(at)) throw new TraceError(file, index + 1, 'TIMESTAMP', 'a time such as 2023-11-16 18:15:46.680', cells[time])
    const fraction = Number(`0.${(cells[time] ?? '').split('.')[1] ?? '0'}`)
    rows.push({
      at: Math.floor(at) + (Number.isNaN(fraction) ? 0 : fraction),
      promptTokens: wholeOf(file, index + 1, 'ContextTokens', cells[prompt]),
      outputTokens: wholeOf(file, index + 1, 'GeneratedTokens', cells[output]),
      blocks: null,
    })
  })
  return rows
}

function parseMooncake(file: string, lines: readonly string[]): TraceRow[] {
  const rows: TraceRow[] = []
  lines.forEach((line, index) => {
    if (line.trim() === '') return
    let row: Record<string, unknown>
    try {
      row = JSON.parse(line)
    } catch {
      throw new TraceError(file, index + 1, 'line', 'a JSON object', line.slice(0, 60))
    }
    const ids = row.hash_ids
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'number'))
      throw new TraceError(file, index + 1, 'hash_ids', 'a list of numbers', ids)
    const promptTokens = wholeOf(file, index + 1, 'input_length', row.input_length)
    rows.push({
      at: wholeOf(file, index + 1, 'timestamp', row.timestamp) / 1e3 + TICK_SECONDS * uniform(0x7124, index),
      promptTokens,
      outputTokens: wholeOf(file, index + 1, 'output_length', row.output_length),
      blocks: ownBlocks(ids, promptTokens),
    })
  })
  return rows
}

/** The simulator's smaller blocks for the full ones of the trace. */
function ownBlocks(ids: readonly number[], promptTokens: number): number[] {
  const full = Math.floor(promptTokens / TRACE_BLOCK_TOKENS)
  const blocks: number[] = []
  for (const id of ids.slice(0, full))
    for (let part = 0; part < BLOCKS_IN_TRACE_BLOCK; part++) blocks.push(2 ** 51 + id * BLOCKS_IN_TRACE_BLOCK + part)
  return blocks
}

function wholeOf(file: string, line: number, key: string, value: unknown): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) throw new TraceError(file, line, key, 'a number from 0', value)
  return Math.round(number)
}

/**
 * The trace at about `rate` requests a second for `seconds`, from virtual second `from` on: it starts anew when it ends; copies are
 * shifted against each other; a last copy is thinned.
 */
export function scheduleTrace(rows: readonly TraceRow[], rate: number, from: number, seconds: number, seed: number): TraceRow[] {
  const length = Math.max(1, (rows[rows.length - 1] as TraceRow).at + 1)
  const own = rows.length / length
  const planned: TraceRow[] = []
  for (let copy = 0; copy < rate / own; copy++) {
    const share = Math.min(1, rate / own - copy)
    const shift = length * uniform(seed, copy, 0x51f)
    for (let turn = 0; turn * length < seconds + length; turn++) {
      rows.forEach((row, index) => {
        const at = from - shift + turn * length + row.at
        if (at >= from && at < from + seconds && uniform(seed, copy * 2 ** 32 + index, turn) < share) planned.push({ ...row, at })
      })
    }
  }
  return planned.sort((a, b) => a.at - b.at)
}
