// Columns into one Arrow IPC stream, the body of an insert; column by column, so that others have their turn between them.
import { type Data, Field, makeData, RecordBatch, RecordBatchStreamWriter, Schema, Struct } from 'apache-arrow'
import type { StoredColumn } from '../schema/table.ts'
import { createTurns, type Turns } from './turns.ts'
import { encodeColumn } from './vector.ts'

export interface EncodedTable {
  /** Names of the columns that have at least one value; the others take their default, which is null. */
  names: string[]
  body: Uint8Array
}

/** `valuesOf` gives the values of a column, one a row; they may not change meanwhile. */
export async function encodeTable(
  columns: readonly StoredColumn[],
  rows: number,
  valuesOf: (name: string) => readonly unknown[] | undefined,
  turns: Turns = createTurns(),
): Promise<EncodedTable> {
  const fields: Field[] = []
  const children: Data[] = []
  for (const { name, wire } of columns) {
    const over = turns.over()
    if (over !== null) await over
    const values = valuesOf(name)
    const data = values === undefined ? null : encodeColumn(wire, values)
    if (data === null) continue
    fields.push(new Field(name, data.type, data.nullCount > 0))
    children.push(data)
  }
  const schema = new Schema(fields)
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length: rows, nullCount: 0, children }))
  return { names: fields.map((field) => field.name), body: RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true) }
}
