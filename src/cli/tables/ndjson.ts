// One JSON object a line. Product records may carry `dimensions` (a map of the user's own) and `phases` (a list): both become columns.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { type PhaseId, phaseColumn } from '@longpole/model/phase'
import { InputError } from '../input-error.ts'
import type { TableBuilder } from './builder.ts'

const PROGRESS_ROWS = 200_000

/** Each parsed line with its number; blank lines are skipped. */
export async function* readLines(file: string): AsyncGenerator<{ value: Record<string, unknown>; line: number }> {
  const bytes = createReadStream(file)
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  let line = 0
  for await (const text of lines) {
    line++
    if (text.trim() === '') continue
    yield { value: parseLine(text, file, line), line }
  }
}

function parseLine(text: string, file: string, line: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Reported below with the place.
  }
  throw new InputError(`${file}:${line}: expected one JSON object, got ${JSON.stringify(text.slice(0, 60))}`)
}

export async function readNdjson(file: string, builder: TableBuilder, progress: (rows: number) => void): Promise<void> {
  for await (const { value, line } of readLines(file)) {
    const row = builder.rowCount
    const where = `${file}:${line}`
    for (const name of Object.keys(value)) {
      const cell = value[name]
      if (typeof cell !== 'object' || cell === null) builder.set(row, name, cell, where)
      else if (name === 'dimensions' && !Array.isArray(cell)) {
        for (const [key, inner] of Object.entries(cell)) builder.set(row, key, inner, where)
      } else if (name === 'phases' && Array.isArray(cell)) {
        for (const phase of cell as { phase: PhaseId; seconds: number }[]) builder.set(row, phaseColumn(phase.phase), phase.seconds, where)
      }
    }
    builder.endRow()
    if (builder.rowCount % PROGRESS_ROWS === 0) progress(builder.rowCount)
  }
}
