// Reads a data set of `longpole simulate` back as the records and samples that a hub would have had.
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { PhaseDuration, PhaseId } from '@longpole/model/phase'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { type Hop, PHASE_COLUMNS, type RequestRecord } from '@longpole/model/request-record'

type Row = Record<string, unknown>

const NEVER = 1n << 62n

/** One NDJSON row as a record: phase columns become the list of phases, instants become bigints. */
export function recordOf(row: Row): RequestRecord {
  const record: Row = { overlays: [], hops: [], attempt_list: [] }
  for (const { name, kind } of REQUEST_COLUMNS) {
    const value = row[name] ?? null
    record[name] = kind === 'instant' && value !== null ? BigInt(value as string) : value
  }
  const phases: PhaseDuration[] = []
  for (const { phase, seconds, source, exactness } of PHASE_COLUMNS) {
    const value = row[seconds]
    if (typeof value !== 'number') continue
    phases.push({
      phase: phase as PhaseId,
      seconds: value,
      source: String(row[source] ?? 'simulated'),
      exactness: (row[exactness] ?? 'measured') as PhaseDuration['exactness'],
    })
  }
  // As the hub assembles it: what is left over is a phase of every record, if only of 0 seconds.
  if (record.e2e !== null && !phases.some(({ phase }) => phase === 'unattributed'))
    phases.push({ phase: 'unattributed', seconds: 0, source: 'remainder', exactness: 'residual' })
  record.phases = phases
  record.hops = prefillHop(record as unknown as RequestRecord)
  return record as unknown as RequestRecord
}

/** What a prefill server reports of a request that another one decodes (as SGLang's span trees do). */
const PREFILL_SIDE: ReadonlySet<string> = new Set(['engine.admit', 'engine.queue', 'kv.load', 'engine.prefill'])

function prefillHop({ prefill_replica, engine, record_id, start_unix_ns, phases }: RequestRecord): Hop[] {
  if (prefill_replica === null) return []
  const own = phases.filter(({ phase }) => PREFILL_SIDE.has(phase))
  const seconds = own.reduce((sum, part) => sum + part.seconds, 0)
  return [
    { replica: prefill_replica, pool: 'prefill', engine: engine ?? '', span_id: record_id.slice(-16), start_unix_ns, seconds, phases: own },
  ]
}

async function* rows(path: string): AsyncGenerator<Row> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== '') yield JSON.parse(line)
  }
}

/** All records in the order in which they settle. */
export async function readRecords(directory: string): Promise<RequestRecord[]> {
  const records: RequestRecord[] = []
  for await (const row of rows(join(directory, 'records.ndjson'))) records.push(recordOf(row))
  return records.sort((a, b) => Number(settledAt(a) - settledAt(b)))
}

/** Unix nanoseconds; a request that is still open at the end of the run ends never. */
export function endOf(record: RequestRecord): bigint {
  return record.outcome === 'open' ? NEVER : record.start_unix_ns + BigInt(Math.round((record.e2e ?? 0) * 1e9))
}

/** A record closes five seconds after its outermost span ended. */
export function settledAt(record: RequestRecord): bigint {
  return endOf(record) + 5_000_000_000n
}

export async function readSamples(directory: string): Promise<EngineSample[]> {
  const samples: EngineSample[] = []
  for await (const row of rows(join(directory, 'samples.ndjson'))) {
    samples.push({ ...row, unix_ns: BigInt(row.unix_ns as string) } as unknown as EngineSample)
  }
  return samples
}
