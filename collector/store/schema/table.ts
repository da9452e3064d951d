// How a table is declared here: its columns with their ClickHouse type and the Arrow type their values travel in, and the DDL of it.

/** How values of a column are written: see arrow/vector.ts. */
export type WireKind = 'text' | 'dictionary' | 'number' | 'instant' | 'flag' | 'names'

export interface StoredColumn {
  readonly name: string
  readonly wire: WireKind
  readonly type: string
}

export interface StoredTable {
  readonly name: string
  readonly columns: readonly StoredColumn[]
  /** Columns of the store's own, which no row of the outside has. */
  readonly hidden?: readonly StoredColumn[]
  readonly engine: string
  readonly partitionBy?: string
  readonly orderBy: string
  readonly indexes?: readonly string[]
  /** Rows that are read together at least; fewer for wide rows that are looked up one by one. */
  readonly granularity?: number
}

/** Nanoseconds of one partition: an hour, so that retention by size can give back little at a time. */
export const PARTITION_NANOS = 3_600_000_000_000n

export function partitionOf(column: string): string {
  return `intDiv(${column}, ${PARTITION_NANOS})`
}

export function allColumns({ columns, hidden = [] }: StoredTable): readonly StoredColumn[] {
  return [...columns, ...hidden]
}

export interface DdlOptions {
  /** fsync before an insert counts as stored. */
  fsync: boolean
}

/** `CREATE TABLE IF NOT EXISTS …`: the same text for the embedded store and a server. */
export function createTableStatement(table: StoredTable, { fsync }: DdlOptions): string {
  const lines = [
    ...allColumns(table).map((column) => `  ${column.name} ${column.type}`),
    ...(table.indexes ?? []).map((index) => `  INDEX ${index}`),
  ]
  return [
    `CREATE TABLE IF NOT EXISTS ${table.name} (\n${lines.join(',\n')}\n)`,
    `ENGINE = ${table.engine}`,
    ...(table.partitionBy === undefined ? [] : [`PARTITION BY ${table.partitionBy}`]),
    `ORDER BY ${table.orderBy}`,
    `SETTINGS ${settingsOf(fsync, table.granularity ?? 8_192)}`,
  ].join('\n')
}

/** Small parts are kept in one file: an hour of a laptop's traffic must not become a thousand files. Merged parts go after a minute. */
function settingsOf(fsync: boolean, granularity: number): string {
  return [
    `index_granularity = ${granularity}`,
    'min_bytes_for_wide_part = 33554432',
    'old_parts_lifetime = 60',
    `fsync_after_insert = ${Number(fsync)}`,
    `fsync_part_directory = ${Number(fsync)}`,
  ].join(', ')
}
