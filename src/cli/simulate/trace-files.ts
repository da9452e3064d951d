// `--trace`: one file, or a folder whose traces are laid over each other, each from its own first request on.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { looksLikeTrace, parseTrace, TraceError, type TraceRow } from '../../simulator/workload/trace.ts'
import { InputError } from '../input-error.ts'

/** Throws InputError that names file, line and key of what is wrong. */
export function readTraces(path: string): TraceRow[] {
  try {
    return statSync(path).isDirectory() ? readFolder(path) : parseTrace(path, readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof InputError) throw error
    if (error instanceof TraceError) throw new InputError(`--trace: ${error.message}`)
    throw new InputError(`--trace: ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** Other files of the folder (notes, other formats) are left alone. */
function readFolder(folder: string): TraceRow[] {
  const rows: TraceRow[] = []
  for (const name of readdirSync(folder).sort()) {
    if (!/\.(csv|jsonl)$/.test(name)) continue
    const file = join(folder, name)
    const text = readFileSync(file, 'utf8')
    if (looksLikeTrace(file, text)) for (const row of parseTrace(file, text)) rows.push(row)
  }
  if (rows.length === 0)
    throw new InputError(`--trace: ${folder}: expected at least one of Azure's CSV or Mooncake's JSONL traces, got none`)
  return rows.sort((a, b) => a.at - b.at)
}
