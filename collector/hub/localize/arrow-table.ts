// An Arrow stream of the store as the localizer's table: dictionaries stay dictionaries, nulls become NaN or the missing id.
import { DataType, tableFromIPC, type Vector } from 'apache-arrow'
import { compactIds, type DimensionColumn, type Table } from '../../../src/localizer/table.ts'

export function tableFromArrow(bytes: Uint8Array): Table {
  const arrow = tableFromIPC(bytes)
  const rows = arrow.numRows
  const dimensions = new Map<string, DimensionColumn>()
  const numbers = new Map<string, Float64Array>()
  for (const field of arrow.schema.fields) {
    const vector = arrow.getChild(field.name)
    if (vector === null) continue
    if (DataType.isDictionary(field.type) || DataType.isUtf8(field.type)) dimensions.set(field.name, readNames(field.name, vector, rows))
    else numbers.set(field.name, readNumbers(vector, rows))
  }
  const time = numbers.get('time') ?? new Float64Array(rows)
  const weight = numbers.get('weight') ?? null
  numbers.delete('time')
  numbers.delete('weight')
  return { rows, time, weight, dimensions, numbers, flags: new Set() }
}

function readNumbers(vector: Vector, rows: number): Float64Array {
  const values = new Float64Array(rows)
  let row = 0
  for (const data of vector.data) {
    const from = data.values as ArrayLike<number>
    const isPlain = DataType.isFloat(data.type)
    for (let index = 0; index < data.length; index++, row++) {
      const known = data.nullCount === 0 || isValid(data, index)
      values[row] = !known ? Number.NaN : isPlain ? (from[index] as number) : Number(vector.get(row))
    }
  }
  return values
}

function readNames(name: string, vector: Vector, rows: number): DimensionColumn {
  const ids = new Int32Array(rows)
  const index = new Map<string, number>()
  const values: string[] = []
  const idOf = (value: string): number => {
    let id = index.get(value)
    if (id === undefined) {
      id = values.length
      index.set(value, id)
      values.push(value)
    }
    return id
  }
  let row = 0
  for (const data of vector.data) {
    const dictionary = data.dictionary
    const renamed = dictionary === undefined ? null : Array.from(dictionary, (value) => (value === null ? -1 : idOf(String(value))))
    const codes = data.values as ArrayLike<number>
    for (let at = 0; at < data.length; at++, row++) {
      if (data.nullCount > 0 && !isValid(data, at)) ids[row] = -1
      else if (renamed !== null) ids[row] = renamed[Number(codes[at])] ?? -1
      else ids[row] = idOf(String(vector.get(row)))
    }
  }
  // Text that the store has as empty is as unknown as null.
  const empty = index.get('')
  if (empty !== undefined) for (let at = 0; at < rows; at++) if (ids[at] === empty) ids[at] = -1
  return { name, values, ids: compactIds(ids, values.length) }
}

function isValid(data: Vector['data'][number], index: number): boolean {
  const bitmap = data.nullBitmap
  if (bitmap === undefined || bitmap === null || bitmap.length === 0) return true
  const at = data.offset + index
  return (((bitmap[at >> 3] as number) >> (at % 8)) & 1) === 1
}
