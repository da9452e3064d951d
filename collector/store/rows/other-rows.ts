// Samples, change events, findings and verdicts to columns of their tables, and events and findings back.
import type { ApiVerdict } from '@longpole/model/api'
import type { ChangeEvent, ChangeKind } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import { type EncodedTable, encodeTable } from '../arrow/table.ts'
import { EVENTS, FINDINGS, SAMPLES, VERDICTS } from '../schema/tables.ts'

export function encodeSamples(samples: readonly EngineSample[]): Promise<EncodedTable> {
  return encodeTable(SAMPLES.columns, samples.length, (name) => samples.map((sample) => sample[name as keyof EngineSample]))
}

export function encodeEvents(events: readonly ChangeEvent[]): Promise<EncodedTable> {
  return encodeTable(EVENTS.columns, events.length, (name) =>
    events.map((event) => (name === 'scope' ? JSON.stringify(event.scope) : event[name as keyof ChangeEvent])),
  )
}

/** A time as findings carry it (RFC 3339) in nanoseconds; 0 where it is none. */
function nanosOf(text: string | null): bigint {
  const milliseconds = text === null ? Number.NaN : Date.parse(text)
  return Number.isNaN(milliseconds) ? 0n : BigInt(milliseconds) * 1_000_000n
}

export function encodeFindings(findings: readonly Finding[]): Promise<EncodedTable> {
  const columns: Record<string, (finding: Finding) => unknown> = {
    id: (finding) => finding.id,
    opened_unix_ns: (finding) => nanosOf(finding.opened),
    updated_unix_ns: (finding) => nanosOf(finding.updated),
    open: (finding) => finding.closed === null,
    finding: (finding) => JSON.stringify(finding),
  }
  return encodeTable(FINDINGS.columns, findings.length, (name) => findings.map(columns[name] as (finding: Finding) => unknown))
}

export function encodeVerdict(verdict: ApiVerdict, unixNano: bigint): Promise<EncodedTable> {
  const row: Record<string, unknown> = { finding: verdict.finding, verdict: verdict.verdict, note: verdict.note ?? '', unix_ns: unixNano }
  return encodeTable(VERDICTS.columns, 1, (name) => [row[name]])
}

export const EVENT_SELECT = 'id, kind, toString(unix_ns) AS unix_ns_text, scope, title, source, from_value, to_value'

export function decodeEvent(row: Record<string, string | null>): ChangeEvent {
  return {
    id: row.id as string,
    kind: row.kind as ChangeKind,
    unix_ns: BigInt(row.unix_ns_text as string),
    scope: JSON.parse(row.scope as string),
    title: row.title as string,
    source: row.source as string,
    from_value: row.from_value ?? null,
    to_value: row.to_value ?? null,
  }
}
