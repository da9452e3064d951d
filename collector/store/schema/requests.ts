// The table of request records, derived from the column table of the model: its columns, then four for each phase, then the parts
// that are lists.
import { type ColumnDefinition, type ColumnKind, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'
import { partitionOf, type StoredColumn, type StoredTable, type WireKind } from './table.ts'

const WIRE: Record<ColumnKind, WireKind> = {
  text: 'text',
  dictionary: 'dictionary',
  count: 'number',
  seconds: 'number',
  ratio: 'number',
  number: 'number',
  flag: 'flag',
  instant: 'instant',
  names: 'names',
  counts: 'text',
  labels: 'text',
}

const TYPE: Record<ColumnKind, string> = {
  text: 'String',
  dictionary: 'LowCardinality(String)',
  count: 'Int64',
  seconds: 'Float64',
  ratio: 'Float64',
  number: 'Float64',
  flag: 'Bool',
  instant: 'Int64',
  names: 'Array(LowCardinality(String))',
  counts: 'String',
  labels: 'String',
}

function columnOf({ name, kind, nullable }: ColumnDefinition): StoredColumn {
  if (name === 'version') return { name, wire: 'number', type: 'UInt64' }
  return { name, wire: WIRE[kind], type: nullable ? nullableType(TYPE[kind]) : TYPE[kind] }
}

function nullableType(type: string): string {
  return type.startsWith('LowCardinality(') ? `LowCardinality(Nullable(${type.slice(15, -1)}))` : `Nullable(${type})`
}

const NULLABLE_DICTIONARY = 'LowCardinality(Nullable(String))'

const PHASE_PARTS: StoredColumn[] = PHASE_COLUMNS.flatMap(({ seconds, source, exactness, error }): StoredColumn[] => [
  { name: seconds, wire: 'number', type: 'Nullable(Float64)' },
  { name: source, wire: 'dictionary', type: NULLABLE_DICTIONARY },
  { name: exactness, wire: 'dictionary', type: NULLABLE_DICTIONARY },
  { name: error, wire: 'number', type: 'Nullable(Float64)' },
])

/** Lists of a record as JSON text; null where empty. */
export const LIST_COLUMNS = ['phase_parts', 'overlays', 'hops', 'attempt_list'] as const

/**
 * A record that turned out to be a part of another one gets a newest version that says so, and readers do not see it. (A DELETE is a
 * mutation: seconds where this is milliseconds.)
 */
const SUPERSEDED = 'superseded'

/** What every read leaves out, by table: ClickHouse's setting `additional_table_filters`. */
export const READ_FILTERS = { requests: `${SUPERSEDED} = 0` }

export function supersedeStatement(table: string): string {
  return `INSERT INTO ${table} (record_id, received_unix_ns, version, ${SUPERSEDED})
    SELECT record_id, received_unix_ns, version + 1, true FROM ${table} FINAL WHERE record_id IN {ids:Array(String)}`
}

/**
 * The sorting key is fixed at the first write and never amended: with a column in it that a late span may move, two rows would stay
 * for ever. Readers see one row a record (`final`), the one with the highest version.
 */
export const REQUESTS: StoredTable = {
  name: 'requests',
  columns: [
    ...REQUEST_COLUMNS.map(columnOf),
    ...PHASE_PARTS,
    ...LIST_COLUMNS.map((name): StoredColumn => ({ name, wire: 'text', type: 'Nullable(String)' })),
  ],
  hidden: [{ name: SUPERSEDED, wire: 'flag', type: 'Bool DEFAULT false' }],
  engine: 'ReplacingMergeTree(version)',
  partitionBy: partitionOf('received_unix_ns'),
  orderBy: '(received_unix_ns, record_id)',
  granularity: 2_048,
  indexes: [
    'by_record_id record_id TYPE bloom_filter(0.01) GRANULARITY 1',
    'by_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1',
    'by_request_id request_id TYPE bloom_filter(0.01) GRANULARITY 1',
    'by_start start_unix_ns TYPE minmax GRANULARITY 1',
  ],
}
