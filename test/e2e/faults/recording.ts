// A recording as files: requests and engine samples as NDJSON, and beside them what was done and what must be said of it. Rows keep what
// a localizer reads; ids are left out and seconds are rounded to 10 µs, so that a recording is small enough to be kept.
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiSample } from '@longpole/model/api'
import { PHASE_IDS, phaseColumn } from '@longpole/model/phase'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { type Scenario, TENANTS, type Truth } from './scenarios.ts'

interface Window {
  from: number
  to: number
}

export interface Recording {
  scenario: Scenario
  model: string
  baseline: Window
  incident: Window
  /** Rows of the incident where they were read while it lasted, NDJSON. */
  rows: string | null
}

/** What stands in `<id>.json`. */
export interface RecordingTruth extends Truth {
  id: string
  model: string
  baseline: Window
  incident: Window
}

const LEFT_OUT: ReadonlySet<string> = new Set([
  ...[
    'trace_id',
    'record_id',
    'request_id',
    'received_unix_ns',
    'version',
    'joined',
    'session',
    'itl',
    'dimensions',
    'http_status',
    'max_tokens',
  ],
  ...['ttfr', 'ttfa', 'cached_tokens_by_tier', 'sdk_version'],
])
const COLUMNS = [...REQUEST_COLUMNS.map(({ name }) => name).filter((name) => !LEFT_OUT.has(name)), ...PHASE_IDS.map(phaseColumn)]
const ROUNDED = 1e5
const MAX_SAMPLES = 1_000

/** Kept hash → the name that callers used. */
export function tenantNames(key: string): Map<string, string> {
  return new Map(TENANTS.map((name) => [createHmac('sha256', key).update(name).digest('hex').slice(0, 12), name]))
}

export async function saveRecording(directory: string, apiUrl: string, recording: Recording, tenants: ReadonlyMap<string, string>) {
  const { scenario, baseline, incident, model } = recording
  const before = await exportRows(apiUrl, baseline)
  const during = recording.rows ?? (await exportRows(apiUrl, incident))
  const lines = [before, during].map((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => condense(line, tenants)),
  )
  const path = (suffix: string) => join(directory, `${scenario.id}${suffix}`)
  writeFileSync(path('.ndjson'), `${lines.flat().join('\n')}\n`)
  const samples = [...(await fetchSamples(apiUrl, baseline)), ...(await fetchSamples(apiUrl, incident))]
  writeFileSync(path('.samples.ndjson'), `${samples.map((sample) => JSON.stringify(withoutNulls(sample))).join('\n')}\n`)
  const truth: RecordingTruth = { id: scenario.id, model, ...scenario.truth, baseline, incident }
  writeFileSync(path('.json'), `${JSON.stringify(truth, null, 2)}\n`)
  return { baseline: lines[0]?.length ?? 0, incident: lines[1]?.length ?? 0 }
}

async function exportRows(apiUrl: string, { from, to }: Window): Promise<string> {
  const response = await fetch(`${apiUrl}/api/v1/export?from=${from}&to=${to}`)
  if (!response.ok) throw new Error(`GET /api/v1/export: HTTP ${response.status} ${(await response.text()).slice(0, 300)}`)
  return response.text()
}

function condense(line: string, tenants: ReadonlyMap<string, string>): string {
  const row = JSON.parse(line) as Record<string, unknown>
  const kept = Object.fromEntries(COLUMNS.map((name) => [name, row[name]]))
  if (typeof kept.tenant === 'string') kept.tenant = tenants.get(kept.tenant) ?? kept.tenant
  return JSON.stringify(withoutNulls(kept))
}

function withoutNulls(row: object): Record<string, unknown> {
  const known = Object.entries(row).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(known.map(([name, value]) => [name, typeof value === 'number' ? Math.round(value * ROUNDED) / ROUNDED : value]))
}

async function fetchSamples(apiUrl: string, { from, to }: Window): Promise<ApiSample[]> {
  const response = await fetch(`${apiUrl}/api/v1/samples?from=${from}&to=${to}&limit=${MAX_SAMPLES}`)
  return ((await response.json()) as { items: ApiSample[] }).items
}
