// Batches of record rows as one Arrow IPC stream. Instants are 64-bit integers of Unix nanoseconds, numbers doubles, maps JSON text; a
// dictionary is sent once a batch (the stream's dictionaries grow).
import {
  RecordBatch as ArrowBatch,
  Bool,
  type Data,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  makeVector,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow'
import type { ColumnValues, RecordBatch } from './record-batch.ts'
import { RECORD_COLUMNS } from './record-columns.ts'

const TYPES = {
  number: () => new Float64(),
  instant: () => new Int64(),
  text: () => new Utf8(),
  flag: () => new Bool(),
  names: () => new List(new Field('item', new Utf8(), false)),
} as const

/** One schema for all batches of a run. */
export function recordSchema(): Schema {
  return new Schema(
    RECORD_COLUMNS.map(({ name, kind }, index) => {
      const type = kind === 'dictionary' ? new Dictionary(new Utf8(), new Int32(), index + 1) : TYPES[kind]()
      return new Field(name, type, true)
    }),
  )
}

/** A whole stream of its own: what `Store.insertRecordTable` and the file writer take. */
export function encodeArrowStream(batches: readonly ArrowBatch[]): Uint8Array {
  return RecordBatchStreamWriter.writeAll([...batches]).toUint8Array(true)
}

export function toArrowBatch(schema: Schema, batch: RecordBatch): ArrowBatch {
  const children = batch.columns.map((column, index) => columnData(column, batch.rows, (schema.fields[index] as Field).type))
  return new ArrowBatch(schema, makeData({ type: new Struct(schema.fields), length: batch.rows, nullCount: 0, children }))
}

function columnData(column: ColumnValues, rows: number, type: Field['type']): Data {
  switch (column.kind) {
    case 'number': {
      const data = column.numbers.slice(0, rows)
      return makeData({ type: type as Float64, length: rows, ...validity(rows, (row) => !Number.isNaN(data[row] as number)), data })
    }
    case 'instant':
      return makeData({ type: type as Int64, length: rows, nullCount: 0, data: column.instants.slice(0, rows) })
    case 'dictionary': {
      const data = column.ids.slice(0, rows)
      const { nullCount, nullBitmap } = validity(rows, (row) => (data[row] as number) >= 0)
      for (let row = 0; row < rows; row++) if ((data[row] as number) < 0) data[row] = 0
      const dictionary = makeVector(utf8Data(column.dictionary.values))
      return makeData({ type: type as Dictionary, length: rows, nullCount, nullBitmap, data, dictionary })
    }
    case 'flag':
      return flagData(column.flags, rows)
    case 'text':
      return utf8Data(column.texts, rows)
    case 'names': {
      const flat: string[] = []
      const valueOffsets = new Int32Array(rows + 1)
      for (let row = 0; row < rows; row++) {
        flat.push(...(column.names[row] as readonly string[]))
        valueOffsets[row + 1] = flat.length
      }
      return makeData({ type: type as List<Utf8>, length: rows, nullCount: 0, valueOffsets, child: utf8Data(flat) })
    }
  }
}

function flagData(flags: Uint8Array, rows: number): Data {
  const data = new Uint8Array(Math.ceil(rows / 8))
  for (let row = 0; row < rows; row++) if (flags[row] === 1) data[row >> 3] = (data[row >> 3] as number) | (1 << (row & 7))
  return makeData({ type: new Bool(), length: rows, ...validity(rows, (row) => flags[row] !== 2), data })
}

function utf8Data(values: readonly (string | null)[], rows = values.length): Data<Utf8> {
  const valueOffsets = new Int32Array(rows + 1)
  const used = rows === values.length ? values : values.slice(0, rows)
  const data = Buffer.from(used.join(''), 'utf8')
  let end = 0
  for (let row = 0; row < rows; row++) {
    const value = used[row]
    if (value !== null && value !== undefined) end += value.length
    valueOffsets[row + 1] = end
  }
  if (end !== data.length) return utf8DataExact(used, rows)
  return makeData({ type: new Utf8(), length: rows, ...validity(rows, (row) => used[row] !== null), valueOffsets, data })
}

/** Where a value is not ASCII. */
function utf8DataExact(values: readonly (string | null)[], rows: number): Data<Utf8> {
  const valueOffsets = new Int32Array(rows + 1)
  for (let row = 0; row < rows; row++) valueOffsets[row + 1] = (valueOffsets[row] as number) + Buffer.byteLength(values[row] ?? '', 'utf8')
  const data = Buffer.from(values.join(''), 'utf8')
  return makeData({ type: new Utf8(), length: rows, ...validity(rows, (row) => values[row] !== null), valueOffsets, data })
}

function validity(rows: number, isKnown: (row: number) => boolean): { nullCount: number; nullBitmap: Uint8Array | undefined } {
  const nullBitmap = new Uint8Array(Math.ceil(rows / 8))
  let nullCount = 0
  for (let row = 0; row < rows; row++) {
    if (isKnown(row)) nullBitmap[row >> 3] = (nullBitmap[row >> 3] as number) | (1 << (row & 7))
    else nullCount++
  }
  return { nullCount, nullBitmap: nullCount === 0 ? undefined : nullBitmap }
}
