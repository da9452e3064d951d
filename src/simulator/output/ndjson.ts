// Batches of record rows as NDJSON: every column in every row, null where unknown, instants as strings, maps as objects.
import type { ColumnValues, RecordBatch } from './record-batch.ts'
import { OBJECT_COLUMNS, RECORD_COLUMNS } from './record-columns.ts'

export function encodeNdjson(batch: RecordBatch): string {
  const writers = batch.columns.map((column, index) => cellWriter(RECORD_COLUMNS[index]?.name as string, column))
  const lines: string[] = []
  for (let row = 0; row < batch.rows; row++) {
    let line = '{'
    for (let index = 0; index < writers.length; index++) line += (index === 0 ? '' : ',') + (writers[index] as (row: number) => string)(row)
    lines.push(`${line}}\n`)
  }
  return lines.join('')
}

function cellWriter(name: string, column: ColumnValues): (row: number) => string {
  const key = `${JSON.stringify(name)}:`
  const nothing = `${key}null`
  switch (column.kind) {
    case 'number':
      return (row) => {
        const value = column.numbers[row] as number
        return Number.isNaN(value) ? nothing : key + rounded(value)
      }
    case 'dictionary': {
      const encoded = column.dictionary.values.map((value) => key + JSON.stringify(value))
      return (row) => encoded[column.ids[row] as number] ?? nothing
    }
    case 'instant':
      return (row) => `${key}"${column.instants[row]}"`
    case 'flag':
      return (row) => [`${key}false`, `${key}true`, nothing][column.flags[row] as number] as string
    case 'text': {
      const raw = OBJECT_COLUMNS.has(name)
      return (row) => {
        const value = column.texts[row] as string | null
        return value === null ? nothing : key + (raw ? value : JSON.stringify(value))
      }
    }
    case 'names':
      return (row) => key + JSON.stringify(column.names[row])
  }
}

/** Nanoseconds are as fine as anything is measured. */
function rounded(value: number): string {
  return String(Math.round(value * 1e9) / 1e9)
}
