// Arrow IPC, file or stream.
import { readFile } from 'node:fs/promises'
import { InputError } from '../input-error.ts'
import type { TableBuilder } from './builder.ts'

export async function readArrow(file: string, builder: TableBuilder): Promise<void> {
  const { tableFromIPC } = await import('apache-arrow')
  let table: ReturnType<typeof tableFromIPC>
  try {
    table = tableFromIPC(await readFile(file))
  } catch (error) {
    throw new InputError(`--table: ${file} is no Arrow IPC file or stream (${(error as Error).message})`)
  }
  for (const field of table.schema.fields) {
    const column = table.getChild(field.name)
    if (column === null) continue
    let row = 0
    for (const value of column) builder.set(row++, field.name, cellOf(value), file)
    builder.columnNames.add(field.name)
  }
  builder.setRows(table.numRows)
}

/** Nested values are no cells; big integers are numbers, where they fit, or instants. */
function cellOf(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'object' && value !== null && !(value instanceof Date) ? null : value
}
