// Reads a table file for the localizer: NDJSON, CSV or Arrow, by its name.
import { existsSync } from 'node:fs'
import type { Table } from '../../localizer/table.ts'
import { InputError } from '../input-error.ts'
import { readArrow } from './arrow.ts'
import { TableBuilder } from './builder.ts'
import { readCsv } from './csv.ts'
import { readNdjson } from './ndjson.ts'
import { createColumnUse, type WantedColumns } from './wanted.ts'

export interface LoadedTable {
  table: Table
  /** All columns of the file, read or not. */
  columns: ReadonlySet<string>
}

/** `progress` is told the number of rows read so far, now and then. */
export async function readTable(file: string, wanted: WantedColumns, progress: (rows: number) => void): Promise<LoadedTable> {
  if (!existsSync(file)) throw new InputError(`--table: no such file ${file}`)
  const builder = new TableBuilder(file, wanted.time, createColumnUse(wanted))
  if (/\.(ndjson|jsonl)(\.gz)?$/i.test(file)) await readNdjson(file, builder, progress)
  else if (/\.csv$/i.test(file)) await readCsv(file, builder, progress)
  else if (/\.(arrow|feather|ipc)$/i.test(file)) await readArrow(file, builder)
  else throw new InputError(`--table: expected a file that ends in .ndjson, .ndjson.gz, .csv or .arrow, got ${file}`)
  return { table: builder.finish(wanted.weight), columns: builder.columnNames }
}
