// All tables of the store. Spans are the raw material and what a restarted hub begins from; the rest is what it made of them or was told.
import { SAMPLE_NAMES, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import { REQUESTS } from './requests.ts'
import { partitionOf, type StoredColumn, type StoredTable } from './table.ts'

export { REQUESTS } from './requests.ts'

function text(name: string): StoredColumn {
  return { name, wire: 'text', type: 'String' }
}
function dictionary(name: string, isNullable = false): StoredColumn {
  return { name, wire: 'dictionary', type: isNullable ? 'LowCardinality(Nullable(String))' : 'LowCardinality(String)' }
}
function instant(name: string): StoredColumn {
  return { name, wire: 'instant', type: 'Int64' }
}
function number(name: string, type: string): StoredColumn {
  return { name, wire: 'number', type }
}

export const SPANS: StoredTable = {
  name: 'spans',
  columns: [
    instant('received_unix_ns'),
    text('trace_id'),
    text('span_id'),
    text('parent_span_id'),
    dictionary('trace_state'),
    number('flags', 'UInt32'),
    dictionary('name'),
    number('kind', 'UInt8'),
    instant('start_unix_ns'),
    instant('end_unix_ns'),
    text('attributes'),
    text('events'),
    text('links'),
    number('status_code', 'UInt8'),
    dictionary('status_message'),
    dictionary('resource'),
    dictionary('scope_name'),
    dictionary('scope_version'),
  ],
  engine: 'MergeTree',
  partitionBy: partitionOf('received_unix_ns'),
  orderBy: '(received_unix_ns, trace_id)',
  indexes: ['by_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1'],
}

export const SAMPLES: StoredTable = {
  name: 'samples',
  columns: [
    instant('unix_ns'),
    ...SAMPLE_NAMES.map((name) => dictionary(name, name !== 'replica')),
    { name: 'up', wire: 'flag', type: 'Bool' },
    ...SAMPLE_NUMBERS.map((name) => number(name, 'Nullable(Float64)')),
  ],
  engine: 'ReplacingMergeTree',
  partitionBy: partitionOf('unix_ns'),
  orderBy: "(unix_ns, replica, ifNull(rank, ''), ifNull(cluster, ''))",
}

export const EVENTS: StoredTable = {
  name: 'events',
  columns: [
    text('id'),
    dictionary('kind'),
    instant('unix_ns'),
    text('scope'),
    text('title'),
    dictionary('source'),
    { name: 'from_value', wire: 'text', type: 'Nullable(String)' },
    { name: 'to_value', wire: 'text', type: 'Nullable(String)' },
  ],
  engine: 'ReplacingMergeTree',
  orderBy: 'id',
}

/** The finding itself as JSON; what is beside it is there to filter and sort by. */
export const FINDINGS: StoredTable = {
  name: 'findings',
  columns: [
    text('id'),
    instant('opened_unix_ns'),
    instant('updated_unix_ns'),
    { name: 'open', wire: 'flag', type: 'Bool' },
    text('finding'),
  ],
  engine: 'ReplacingMergeTree(updated_unix_ns)',
  orderBy: 'id',
}

export const VERDICTS: StoredTable = {
  name: 'verdicts',
  columns: [text('finding'), dictionary('verdict'), text('note'), instant('unix_ns')],
  engine: 'ReplacingMergeTree(unix_ns)',
  orderBy: 'finding',
}

export const TABLES: readonly StoredTable[] = [REQUESTS, SPANS, SAMPLES, EVENTS, FINDINGS, VERDICTS]

/** Tables that retention cuts by dropping whole hours, with the column that partitions them. */
export const PARTITIONED_TABLES: readonly StoredTable[] = TABLES.filter((table) => table.partitionBy !== undefined)
