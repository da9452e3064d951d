// Request records to columns of the `requests` table and back. Both directions follow the column table of the model.
import { type Exactness, PHASES, type PhaseDuration, type PhaseId, phaseOrder } from '@longpole/model/phase'
import { type ColumnKind, type ColumnName, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS, type RequestRecord } from '@longpole/model/request-record'
import { type EncodedTable, encodeTable } from '../arrow/table.ts'
import { createTurns, mapInTurns, type Turns } from '../arrow/turns.ts'
import { LIST_COLUMNS, REQUESTS } from '../schema/requests.ts'

const IS_JSON: Partial<Record<ColumnKind, true>> = { counts: true, labels: true }
const KIND_OF: ReadonlyMap<string, ColumnKind> = new Map(REQUEST_COLUMNS.map(({ name, kind }) => [name, kind]))

export async function encodeRecords(records: readonly RequestRecord[]): Promise<EncodedTable> {
  const turns = createTurns()
  const columns = await phaseColumns(records, turns)
  columns.set('phase_parts', await mapInTurns(records, turns, phaseParts))
  columns.set('overlays', await mapInTurns(records, turns, overlaysToJson))
  columns.set('hops', await mapInTurns(records, turns, hopsToJson))
  columns.set('attempt_list', await mapInTurns(records, turns, attemptsToJson))
  const valuesOf = (name: string) => {
    const kind = KIND_OF.get(name)
    if (kind === undefined) return columns.get(name)
    const column = name as ColumnName
    return IS_JSON[kind] ? records.map((record) => toJson(record[column])) : records.map((record) => record[column])
  }
  return encodeTable(REQUESTS.columns, records.length, valuesOf, turns)
}

/** Four columns for each phase that one of the records has. */
async function phaseColumns(records: readonly RequestRecord[], turns: Turns): Promise<Map<string, unknown[]>> {
  const columns = new Map<string, unknown[]>()
  const byOrder: ({ seconds: unknown[]; source: unknown[]; exactness: unknown[]; error: unknown[] } | undefined)[] = []
  const make = (name: string) => {
    const values = new Array(records.length).fill(null)
    columns.set(name, values)
    return values
  }
  await mapInTurns(records, turns, ({ phases }, row) => {
    for (const phase of phases) {
      const order = phaseOrder(phase.phase)
      const names = PHASE_COLUMNS[order]
      if (names === undefined) continue
      let own = byOrder[order]
      if (own === undefined) {
        own = { seconds: make(names.seconds), source: make(names.source), exactness: make(names.exactness), error: make(names.error) }
        byOrder[order] = own
      }
      own.seconds[row] = phase.seconds
      own.source[row] = phase.source
      own.exactness[row] = phase.exactness
      if (phase.errorSeconds !== undefined) own.error[row] = phase.errorSeconds
    }
  })
  return columns
}

function phaseParts({ phases }: RequestRecord): string | null {
  let parts: Record<string, Record<string, number>> | null = null
  for (const phase of phases) {
    if (phase.parts === undefined) continue
    parts ??= {}
    parts[phase.phase] = phase.parts
  }
  return parts === null ? null : JSON.stringify(parts)
}

const overlaysToJson = ({ overlays }: RequestRecord) => (overlays.length === 0 ? null : JSON.stringify(overlays))
const hopsToJson = ({ hops }: RequestRecord) => stampedToJson(hops)
const attemptsToJson = ({ attempt_list }: RequestRecord) => stampedToJson(attempt_list)

/** JSON text of a map or list; null where it is missing or empty. */
function toJson(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if ((Array.isArray(value) ? value : Object.keys(value)).length === 0) return null
  return JSON.stringify(value)
}

/** The same of hops and attempts: their instants become text. */
function stampedToJson(list: readonly { start_unix_ns: bigint }[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list.map((entry) => ({ ...entry, start_unix_ns: entry.start_unix_ns.toString() })))
}

/** A table from elsewhere may hold anything there; what has no readable instant is left out rather than making the record unreadable. */
function stampedFromJson(list: unknown): unknown[] {
  if (!Array.isArray(list)) return []
  return list
    .filter((entry) => /^\d+$/.test(String(entry?.start_unix_ns)))
    .map((entry) => ({ ...entry, start_unix_ns: BigInt(entry.start_unix_ns) }))
}

/** What to select so that `decodeRecord` can read the rows: instants as text, for JSON numbers are not exact to the nanosecond. */
export const RECORD_SELECT: string = [
  ...REQUEST_COLUMNS.map(({ name, kind }) => (kind === 'instant' ? `toString(${name})` : name)),
  ...PHASE_COLUMNS.flatMap(({ seconds, source, exactness, error }) => [seconds, source, exactness, error]),
  ...LIST_COLUMNS,
].join(', ')

/** One row of `SELECT ${RECORD_SELECT} … FORMAT JSONCompactEachRow`. */
export function decodeRecord(row: readonly unknown[]): RequestRecord {
  const record: Record<string, unknown> = {}
  let position = 0
  for (const { name, kind } of REQUEST_COLUMNS) record[name] = decodeValue(kind, row[position++])
  const phases: PhaseDuration[] = []
  for (const { id } of PHASES) {
    const [seconds, source, exactness, error] = row.slice(position, position + 4)
    position += 4
    if (seconds === null || seconds === undefined) continue
    phases.push({
      phase: id as PhaseId,
      seconds: seconds as number,
      source: (source as string | null) ?? '',
      exactness: (exactness as Exactness | null) ?? 'residual',
      ...(error === null || error === undefined ? {} : { errorSeconds: error as number }),
    })
  }
  const [parts, overlays, hops, attempts] = row
    .slice(position)
    .map((text) => (text === null || text === undefined ? null : JSON.parse(text as string)))
  for (const phase of phases) {
    const ofPhase = (parts as Record<string, Record<string, number>> | null)?.[phase.phase]
    if (ofPhase !== undefined) phase.parts = ofPhase
  }
  return Object.assign(record, {
    phases,
    overlays: overlays ?? [],
    hops: stampedFromJson(hops),
    attempt_list: stampedFromJson(attempts),
  }) as unknown as RequestRecord
}

function decodeValue(kind: ColumnKind, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (kind === 'instant') return BigInt(value as string)
  return IS_JSON[kind] ? JSON.parse(value as string) : value
}
