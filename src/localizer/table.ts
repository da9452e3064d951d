// The localizer's input: one table of requests (or of anything else) as columns. Nothing in it assumes LLM columns; names that the
// product's own records use (`model`, `outcome`, `prompt_tokens`, …) only add knowledge where they are present.

/** A column of low cardinality: `ids[row]` indexes `values`; an id of `values.length` means missing. */
export interface DimensionColumn {
  readonly name: string
  readonly values: readonly string[]
  readonly ids: Uint16Array | Uint32Array
}

export interface Table {
  readonly rows: number
  /** Unix seconds at which each row began. */
  readonly time: Float64Array
  /** 1 ÷ sampling probability of each row; null: all 1. */
  readonly weight: Float64Array | null
  readonly dimensions: ReadonlyMap<string, DimensionColumn>
  /** Numbers by column name; NaN is missing. Flags are 0 and 1. */
  readonly numbers: ReadonlyMap<string, Float64Array>
  /** Columns whose values were booleans: as a target they are ratios. */
  readonly flags: ReadonlySet<string>
}

/** Bad input: which part of the question or of the table, what was expected, what came. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError'
  readonly key: string

  constructor(key: string, expected: string, got: string) {
    super(`${key}: expected ${expected}, got ${got}`)
    this.key = key
  }
}

/** Too little data to say anything; not bad input. */
export class TooFewRowsError extends Error {
  override readonly name = 'TooFewRowsError'
}

/** Collects one dimension value by value. */
export class DimensionBuilder {
  readonly name: string
  private readonly index = new Map<string, number>()
  private readonly values: string[] = []
  private readonly ids: number[] = []

  constructor(name: string) {
    this.name = name
  }

  add(value: string | null): void {
    if (value === null) {
      this.ids.push(-1)
      return
    }
    let id = this.index.get(value)
    if (id === undefined) {
      id = this.values.length
      this.index.set(value, id)
      this.values.push(value)
    }
    this.ids.push(id)
  }

  finish(): DimensionColumn {
    return { name: this.name, values: this.values, ids: compactIds(this.ids, this.values.length) }
  }
}

/** Ids in the narrowest array; negative or too large ones become the missing id. */
export function compactIds(ids: ArrayLike<number>, cardinality: number): Uint16Array | Uint32Array {
  const compact = cardinality < 0xffff ? new Uint16Array(ids.length) : new Uint32Array(ids.length)
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row] as number
    compact[row] = id >= 0 && id < cardinality ? id : cardinality
  }
  return compact
}

const used = new WeakMap<DimensionColumn, DimensionColumn>()

/** The same dimension without values that no row has, so that cardinality means what it says. */
export function usedValues(column: DimensionColumn): DimensionColumn {
  const known = used.get(column) ?? withoutUnused(column)
  used.set(column, known)
  return known
}

function withoutUnused(column: DimensionColumn): DimensionColumn {
  const seen = new Uint8Array(column.values.length + 1)
  for (let row = 0; row < column.ids.length; row++) seen[column.ids[row] as number] = 1
  let count = 0
  const renamed = new Int32Array(column.values.length + 1).fill(-1)
  const values: string[] = []
  for (let id = 0; id < column.values.length; id++) {
    if (seen[id] === 0) continue
    renamed[id] = count++
    values.push(column.values[id] as string)
  }
  if (count === column.values.length) return column
  const ids = new Int32Array(column.ids.length)
  for (let row = 0; row < ids.length; row++) ids[row] = renamed[column.ids[row] as number] as number
  return { name: column.name, values, ids: compactIds(ids, count) }
}
