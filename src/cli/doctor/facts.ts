// What `longpole doctor` looks at: one round of questions to the hub, all at once, bounded in time.
import type { ApiFleet, ApiOpenRequest, ApiRequest, ApiSample, List } from '@longpole/model/api'
import { type ExpositionSample, parseExposition } from '../../wire/exposition/parse.ts'
import { askHub, type HubOptions } from '../hub-client.ts'

/** Columns of recent records that the checks need. */
export interface RecentRecord {
  vantage: string
  joined: string[]
  outcome: string
  replica: string | null
  e2e: number | null
  ttft: number | null
  phase_unattributed: number | null
}

export interface Facts {
  hub: string
  /** Why the hub could not be asked; null when it answered. */
  unreachable: string | null
  version: string | null
  troubles: string[]
  metrics: ExpositionSample[]
  /** Of the last minutes; where there are none, the newest there are. */
  records: RecentRecord[]
  /** When the newest of them started, where it is not of the last minutes. */
  newestStart: string | null
  fleet: ApiFleet
  samples: ApiSample[]
  open: ApiOpenRequest[]
}

export const WINDOW_SECONDS = 900
export const MAX_RECORDS = 2_000
const MAX_OLDER = 200
const ANSWER_WITHIN_MS = 4_000
const COLUMNS = 'vantage,joined,outcome,replica,e2e,ttft,phase_unattributed'

export async function collectFacts(options: HubOptions, nowUnixSeconds: number): Promise<Facts> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
  const facts: Facts = {
    hub: options.hub,
    unreachable: null,
    version: null,
    troubles: [],
    metrics: [],
    records: [],
    newestStart: null,
    fleet: { replicas: [], transfers: [] },
    samples: [],
    open: [],
  }
  const json = async <T>(path: string, query: Record<string, string> = {}): Promise<T> =>
    (await askHub(options, path, { query: new URLSearchParams(query), signal })).json() as Promise<T>
  try {
    facts.version = (await json<{ version: string }>('/healthz')).version
  } catch (error) {
    facts.unreachable = (error as Error).message
    return facts
  }
  const window = { from: String(Math.floor(nowUnixSeconds - WINDOW_SECONDS)) }
  const tell = (what: string) => (error: unknown) => {
    facts.troubles.push(`${what}: ${(error as Error).message}`)
  }
  await Promise.all([
    readReadiness(options, signal, facts).catch(tell('readiness')),
    askHub(options, '/metrics', { signal })
      .then(async (response) => {
        facts.metrics = parseExposition(await response.text()).samples
      })
      .catch(tell('metrics')),
    readRecords(options, signal, window, facts).catch(tell('requests')),
    json<ApiFleet>('/api/v1/fleet', { window: String(WINDOW_SECONDS) })
      .then((fleet) => {
        facts.fleet = fleet
      })
      .catch(tell('fleet')),
    json<List<ApiSample>>('/api/v1/samples', { from: String(Math.floor(nowUnixSeconds - 60)), limit: '1000' })
      .then(({ items }) => {
        facts.samples = items
      })
      .catch(tell('samples')),
    json<List<ApiOpenRequest>>('/api/v1/open')
      .then(({ items }) => {
        facts.open = items
      })
      .catch(tell('open requests')),
  ])
  return facts
}

async function readRecords(options: HubOptions, signal: AbortSignal, window: { from: string }, facts: Facts): Promise<void> {
  const query = new URLSearchParams({ ...window, format: 'ndjson', columns: COLUMNS, limit: String(MAX_RECORDS) })
  const lines = (await (await askHub(options, '/api/v1/export', { query, signal })).text()).split('\n').filter((line) => line !== '')
  facts.records = lines.map((line) => JSON.parse(line) as RecentRecord)
  if (facts.records.length > 0) return
  const newest = new URLSearchParams({ limit: String(MAX_OLDER) })
  const { items } = (await (await askHub(options, '/api/v1/requests', { query: newest, signal })).json()) as List<ApiRequest>
  facts.newestStart = items[0] === undefined ? null : new Date(Number(BigInt(items[0].start_unix_ns) / 1_000_000n)).toISOString()
  facts.records = items.map((item) => ({
    ...item,
    phase_unattributed: item.phases.find((phase) => phase.phase === 'unattributed')?.seconds ?? null,
  }))
}

/** `/readyz` answers 503 with its reasons; that is an answer too. */
async function readReadiness({ hub, token }: HubOptions, signal: AbortSignal, facts: Facts): Promise<void> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(new URL('readyz', hub.endsWith('/') ? hub : `${hub}/`), { signal, headers })
  const { troubles } = (await response.json()) as { troubles?: string[] }
  facts.troubles.push(...(troubles ?? []))
}
