// The bulk path: a whole Arrow stream of record rows as somebody else wrote it, for example two hours of simulated history. Columns
// are taken by name; those the store does not have are left out, those that are missing are null.
import { DataType, RecordBatchReader, type Schema } from 'apache-arrow'
import type { StoreClient } from './client.ts'
import { REQUESTS } from './schema/requests.ts'

const KNOWN = new Map(REQUESTS.columns.map((column) => [column.name, column]))

/** Rejects with an Error that names the column where a required one is missing. */
export async function insertRecordTable(client: StoreClient, arrow: Uint8Array): Promise<void> {
  const schema = readSchema(arrow)
  const columns: string[] = []
  const values: string[] = []
  for (const field of schema.fields) {
    if (!KNOWN.has(field.name)) continue
    columns.push(field.name)
    values.push(readExpression(field.name, field.type))
  }
  for (const required of ['record_id', 'start_unix_ns', 'outcome']) {
    if (!columns.includes(required)) throw new Error(`record table: column ${required} is missing`)
  }
  // A table from elsewhere knows nothing of when this hub received it; its rows are final, so their start serves as the key.
  const defaults: [string, string][] = [
    ['received_unix_ns', 'start_unix_ns'],
    ['version', '1'],
    ['weight', '1'],
  ]
  for (const [name, expression] of defaults) {
    if (columns.includes(name)) continue
    columns.push(name)
    values.push(expression)
  }
  const structure = schema.fields.map((field) => `\`${field.name.replaceAll(/[`\\']/g, '')}\` ${typeOf(field.type)}`).join(', ')
  await client.insert(
    `INSERT INTO ${REQUESTS.name} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM input('${structure}')`,
    'ArrowStream',
    arrow,
  )
}

function readExpression(name: string, type: DataType): string {
  if (name === 'joined' && !DataType.isList(type)) return namesFromText(name)
  if (!DataType.isFloat(type)) return name
  // Writers say NaN for what they do not know, in the place of a null or below its mask.
  const value = `ifNull(${name}, nan)`
  return KNOWN.get(name)?.type.includes('Int') ? `accurateCastOrNull(${value}, 'Int64')` : `if(isFinite(${value}), ${name}, NULL)`
}

/** The type that values are read as; the insert turns it into the column's own. */
function typeOf(type: DataType): string {
  if (DataType.isInt(type)) return 'Nullable(Int64)'
  if (DataType.isFloat(type)) return 'Nullable(Float64)'
  if (DataType.isBool(type)) return 'Nullable(Bool)'
  if (DataType.isList(type)) return 'Array(String)'
  return 'Nullable(String)'
}

function readSchema(arrow: Uint8Array): Schema {
  let schema: Schema | undefined
  try {
    schema = RecordBatchReader.from(arrow).open().schema
  } catch {
    schema = undefined
  }
  if (schema === undefined) throw new Error('record table: not an Arrow IPC stream')
  return schema
}

/** A list that came as text: JSON, or names with commas between them. */
function namesFromText(column: string): string {
  return `if(startsWith(ifNull(${column}, ''), '['), JSONExtract(ifNull(${column}, '[]'), 'Array(String)'), splitByChar(',', ifNull(${column}, '')))`
}
