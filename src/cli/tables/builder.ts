// Builds the localizer's table column by column from the values of a file, row by row or column by column.
import { compactIds, type DimensionColumn, type Table } from '../../localizer/table.ts'
import { InputError } from '../input-error.ts'
import { parseInstant, scaleInstants } from './instant.ts'
import type { ColumnUse } from './wanted.ts'

/** A number column that grows. Missing rows are NaN. */
class NumberColumn {
  private data = new Float64Array(1024).fill(Number.NaN)
  /** All values seen were booleans. */
  flag = true
  seen = 0

  set(row: number, value: number): void {
    if (row >= this.data.length) {
      const larger = new Float64Array(Math.max(row + 1, this.data.length * 2)).fill(Number.NaN)
      larger.set(this.data)
      this.data = larger
    }
    this.data[row] = value
    this.seen++
  }

  finish(rows: number): Float64Array {
    if (this.data.length < rows) this.set(rows - 1, Number.NaN)
    return this.data.slice(0, rows)
  }
}

/** A dimension that grows. Missing rows are −1. */
class NameColumn {
  private ids = new Int32Array(1024).fill(-1)
  private readonly index = new Map<string, number>()
  private readonly values: string[] = []

  set(row: number, value: string): void {
    if (row >= this.ids.length) {
      const larger = new Int32Array(Math.max(row + 1, this.ids.length * 2)).fill(-1)
      larger.set(this.ids)
      this.ids = larger
    }
    let id = this.index.get(value)
    if (id === undefined) {
      id = this.values.length
      this.index.set(value, id)
      this.values.push(value)
    }
    this.ids[row] = id
  }

  finish(name: string, rows: number): DimensionColumn {
    const ids = new Int32Array(rows).fill(-1)
    ids.set(this.ids.subarray(0, Math.min(rows, this.ids.length)))
    return { name, values: this.values, ids: compactIds(ids, this.values.length) }
  }
}

export class TableBuilder {
  readonly columnNames = new Set<string>()
  private readonly file: string
  private readonly usage: (name: string) => ColumnUse | null
  private readonly timeName: string
  private readonly numbers = new Map<string, NumberColumn>()
  private readonly names = new Map<string, NameColumn>()
  private readonly time = new NumberColumn()
  private rows = 0

  constructor(file: string, timeName: string, usage: (name: string) => ColumnUse | null) {
    this.file = file
    this.timeName = timeName
    this.usage = usage
  }

  get rowCount(): number {
    return this.rows
  }

  endRow(): void {
    this.rows++
  }

  setRows(rows: number): void {
    this.rows = rows
  }

  /** `where` names the place in the file for an error. */
  set(row: number, name: string, value: unknown, where: string): void {
    this.columnNames.add(name)
    const use = this.usage(name)
    if (use === null || value === null || value === undefined || value === '') return
    if (name === this.timeName) this.time.set(row, parseInstant(value, `${where}: ${name}`))
    if (use === 'dimension' || use === 'both') this.nameColumn(name).set(row, String(value))
    if (use === 'number' || use === 'both') this.setNumber(row, name, value)
  }

  private setNumber(row: number, name: string, value: unknown): void {
    let column = this.numbers.get(name)
    if (column === undefined) {
      column = new NumberColumn()
      this.numbers.set(name, column)
    }
    if (typeof value === 'boolean' || value === 'true' || value === 'false') {
      column.set(row, value === true || value === 'true' ? 1 : 0)
      return
    }
    const number = typeof value === 'number' ? value : Number(value)
    column.flag = false
    // Words in a number column are kept as a dimension instead: the column is not what it was taken for.
    if (Number.isNaN(number) && typeof value === 'string' && !/^nan$/i.test(value)) this.nameColumn(name).set(row, value)
    column.set(row, number)
  }

  private nameColumn(name: string): NameColumn {
    let column = this.names.get(name)
    if (column === undefined) {
      column = new NameColumn()
      this.names.set(name, column)
    }
    return column
  }

  finish(weightName: string | null): Table {
    const { rows } = this
    if (rows === 0) throw new InputError(`${this.file}: no rows`)
    if (!this.columnNames.has(this.timeName)) {
      throw new InputError(`--time: no column ${this.timeName} in ${this.file}; it has ${[...this.columnNames].join(', ')}`)
    }
    const time = scaleInstants(this.time.finish(rows))
    const missing = time.findIndex((value) => Number.isNaN(value))
    if (missing >= 0) throw new InputError(`--time: row ${missing + 1} of ${this.file} has no ${this.timeName}`)
    const numbers = new Map<string, Float64Array>()
    const flags = new Set<string>()
    for (const [name, column] of this.numbers) {
      numbers.set(name, column.finish(rows))
      if (column.flag) flags.add(name)
    }
    const dimensions = new Map([...this.names].map(([name, column]) => [name, column.finish(name, rows)]))
    return { rows, time, weight: weightColumn(numbers, weightName), dimensions, numbers, flags }
  }
}

function weightColumn(numbers: ReadonlyMap<string, Float64Array>, name: string | null): Float64Array | null {
  if (name === null) return null
  const column = numbers.get(name)
  if (column === undefined) return null
  const bad = column.findIndex((value) => !(value >= 0) || value === Number.POSITIVE_INFINITY)
  if (bad >= 0) throw new InputError(`--weight: row ${bad + 1} has ${column[bad]}, expected a finite number ≥ 0`)
  return column
}
