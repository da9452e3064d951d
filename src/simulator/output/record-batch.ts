// Rows of request records by column, a few thousand at a time: filled by the run, emptied by a writer (NDJSON, Arrow, a store).
import type { SimRequest } from '../core/request.ts'
import { RECORD_COLUMNS, type RecordColumn, type RunIdentity } from './record-columns.ts'

/** Values of a dictionary column over the whole run; ids never change. */
export class Dictionary {
  readonly values: string[] = []
  private readonly ids = new Map<string, number>()
  // Neighbouring rows often have the same value.
  private last: string | null = null
  private lastId = -1

  idOf(value: string): number {
    if (value === this.last) return this.lastId
    let id = this.ids.get(value)
    if (id === undefined) {
      id = this.values.length
      this.values.push(value)
      this.ids.set(value, id)
    }
    this.last = value
    this.lastId = id
    return id
  }
}

export type ColumnValues =
  | { kind: 'number'; numbers: Float64Array }
  | { kind: 'instant'; instants: BigInt64Array }
  | { kind: 'dictionary'; ids: Int32Array; dictionary: Dictionary }
  /** 0 false, 1 true, 2 unknown. */
  | { kind: 'flag'; flags: Uint8Array }
  | { kind: 'text'; texts: (string | null)[] }
  | { kind: 'names'; names: (readonly string[])[] }

export class RecordBatch {
  readonly capacity: number
  readonly columns: ColumnValues[]
  rows = 0
  private readonly run: RunIdentity
  private readonly sources: readonly RecordColumn[]

  /** `sources` fill the columns; same names and kinds as RECORD_COLUMNS. */
  constructor(run: RunIdentity, capacity = 8192, sources: readonly RecordColumn[] = RECORD_COLUMNS) {
    this.run = run
    this.sources = sources
    this.capacity = capacity
    this.columns = RECORD_COLUMNS.map(({ kind }) => createValues(kind, capacity))
  }

  get isFull(): boolean {
    return this.rows === this.capacity
  }

  append(request: SimRequest): void {
    const row = this.rows++
    const { columns, run, sources } = this
    for (let index = 0; index < columns.length; index++) {
      const cell = (sources[index] as RecordColumn).get(request, run)
      const column = columns[index] as ColumnValues
      switch (column.kind) {
        case 'number':
          column.numbers[row] = cell === null ? Number.NaN : (cell as number)
          break
        case 'dictionary':
          column.ids[row] = cell === null ? -1 : column.dictionary.idOf(cell as string)
          break
        case 'instant':
          column.instants[row] = cell as bigint
          break
        case 'flag':
          column.flags[row] = cell === null ? 2 : cell ? 1 : 0
          break
        case 'text':
          column.texts[row] = cell as string | null
          break
        case 'names':
          column.names[row] = cell as readonly string[]
      }
    }
  }

  clear(): void {
    this.rows = 0
  }
}

function createValues(kind: ColumnValues['kind'], capacity: number): ColumnValues {
  switch (kind) {
    case 'number':
      return { kind, numbers: new Float64Array(capacity) }
    case 'instant':
      return { kind, instants: new BigInt64Array(capacity) }
    case 'dictionary':
      return { kind, ids: new Int32Array(capacity), dictionary: new Dictionary() }
    case 'flag':
      return { kind, flags: new Uint8Array(capacity) }
    case 'text':
      return { kind, texts: new Array(capacity).fill(null) }
    case 'names':
      return { kind, names: new Array(capacity).fill([]) }
  }
}
