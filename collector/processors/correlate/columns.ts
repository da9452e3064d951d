// Merging what the vantages say about one request into one set of columns: each group of columns is taken from the vantage that
// knows it best, the others fill what it left unknown.
import { secondsBetween } from '@longpole/model/clock'
import type { Observation, Vantage } from '@longpole/model/observation'
import { COLUMN_GROUPS, emptyColumns, type RequestColumns } from '@longpole/model/request-columns'
import { type Outcome, promptClass } from '@longpole/model/request-record'
import { vantageRank } from './join.ts'

type Group = keyof typeof COLUMN_GROUPS

const OUTSIDE_IN: readonly Vantage[] = ['client', 'gateway', 'sidecar', 'engine']
const INSIDE_OUT: readonly Vantage[] = ['engine', 'sidecar', 'gateway', 'client']

/** Who is asked first. Where it ran and how much it computed only the engine knows; who asked and how it ended, the caller. */
const ORDER: Record<Exclude<Group, 'identity' | 'free'>, readonly Vantage[]> = {
  where: INSIDE_OUT,
  what: INSIDE_OUT,
  who: OUTSIDE_IN,
  size: INSIDE_OUT,
  state: INSIDE_OUT,
  events: INSIDE_OUT,
  time: OUTSIDE_IN,
  outcome: OUTSIDE_IN,
}

/** Columns whose order is not that of their group: the model is named as the caller asked for it. */
const OWN_ORDER: Partial<Record<keyof RequestColumns, readonly Vantage[]>> = {
  model: OUTSIDE_IN,
  output_mode: OUTSIDE_IN,
  finish_reason: INSIDE_OUT,
}

/** How a column is merged: whose word is the last, by being written last. */
const LAST_WORD = new Map<string, 'outermost' | 'innermost'>(
  (Object.entries(ORDER) as [keyof typeof ORDER, readonly Vantage[]][]).flatMap(([group, order]) =>
    COLUMN_GROUPS[group]
      .filter(({ name }) => name !== 'outcome')
      .map(({ name }) => [name, (OWN_ORDER[name] ?? order) === INSIDE_OUT ? 'innermost' : 'outermost'] as const),
  ),
)

// A parsed object has its properties in fast slots and so have its copies; one that was filled name by name is a dictionary.
// The lists that make a record of them have their places already.
const EMPTY: RequestColumns = JSON.parse(
  JSON.stringify({ ...emptyColumns(), received_unix_ns: 0, phases: [], overlays: [], hops: [], attempt_list: [] }),
)

/** Later attempts win over earlier ones of the same vantage, decode hops over prefill hops. `observations` are outermost first. */
export function mergeColumns(observations: readonly Observation[]): RequestColumns {
  const columns: RequestColumns = { ...EMPTY, joined: [], received_unix_ns: 0n }
  if (areOnePerVantage(observations)) {
    for (const observation of observations) writeInward(columns, observation)
    columns.outcome = outcomeOf(observations)
  } else {
    const outermostFirst = [...observations].sort(
      (left, right) => vantageRank(left.vantage) - vantageRank(right.vantage) || mostTelling(left, right),
    )
    const innermostLast = [...observations].sort(
      (left, right) => vantageRank(left.vantage) - vantageRank(right.vantage) || mostTelling(right, left),
    )
    for (let index = outermostFirst.length - 1; index >= 0; index--) write(columns, outermostFirst[index] as Observation, 'outermost')
    for (const observation of innermostLast) write(columns, observation, 'innermost')
    columns.outcome = outcomeOf(outermostFirst)
  }
  columns.prompt_class = promptClass(columns.prompt_tokens)
  columns.dimensions = mergeDimensions(observations)
  return columns
}

function areOnePerVantage(observations: readonly Observation[]): boolean {
  for (let index = 1; index < observations.length; index++) {
    const [outer, inner] = [observations[index - 1] as Observation, observations[index] as Observation]
    if (vantageRank(outer.vantage) >= vantageRank(inner.vantage)) return false
  }
  return true
}

/** One vantage after the other, outermost first: the first word of some columns counts, the last one of others. */
function writeInward(columns: RequestColumns, observation: Observation): void {
  const source = observation.columns as Record<string, unknown>
  const target = columns as unknown as Record<string, unknown>
  for (const name in source) {
    const value = source[name]
    if (value === null || value === undefined) continue
    const word = LAST_WORD.get(name)
    if (word === 'innermost' || (word === 'outermost' && target[name] === null)) target[name] = value
  }
}

function write(columns: RequestColumns, observation: Observation, word: 'outermost' | 'innermost'): void {
  const source = observation.columns as Record<string, unknown>
  const target = columns as unknown as Record<string, unknown>
  for (const name in source) {
    const value = source[name]
    if (value !== null && value !== undefined && LAST_WORD.get(name) === word) target[name] = value
  }
}

function known(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Logical requests before attempts, decode hops before prefill hops, the latest first. */
function mostTelling(left: Observation, right: Observation): number {
  if ((left.role === 'request') !== (right.role === 'request')) return left.role === 'request' ? -1 : 1
  const [leftPrefills, rightPrefills] = [left, right].map((entry) => entry.columns.pool === 'prefill')
  if (leftPrefills !== rightPrefills) return leftPrefills ? 1 : -1
  return left.startUnixNano === right.startUnixNano ? 0 : left.startUnixNano > right.startUnixNano ? -1 : 1
}

const OUTCOME_WORDS = new Set<string>(['ok', 'error', 'aborted', 'timeout', 'rejected'])

/** The outermost word on how it ended; a status where nobody said one. */
export function outcomeOf(outermostFirst: readonly Observation[]): Outcome {
  for (const { columns } of outermostFirst) {
    if (columns.outcome !== undefined && OUTCOME_WORDS.has(columns.outcome)) return columns.outcome as Outcome
    const status = columns.http_status
    if (known(status)) return (status as number) >= 500 ? 'error' : (status as number) >= 400 ? 'rejected' : 'ok'
    if (known(columns.error_class)) return 'error'
  }
  return 'ok'
}

function mergeDimensions(observations: readonly Observation[]): Record<string, string> | null {
  let merged: Record<string, string> | null = null
  for (let index = observations.length - 1; index >= 0; index--) {
    const { dimensions } = observations[index] as Observation
    if (dimensions !== undefined) merged = Object.assign(merged ?? {}, dimensions)
  }
  return merged === null || Object.keys(merged).length === 0 ? null : merged
}

/**
 * `ttft` and `tpot` at the outermost vantage that saw tokens come: the record's own, else the sidecar's. An engine's is taken only where
 * nobody else was there, because engines tell one for requests that were not streamed too.
 */
export function fillTimes(columns: RequestColumns, root: Observation, observations: readonly Observation[]): void {
  const seers = observations.filter((entry) => entry.boundaries.firstToken !== undefined && (entry.vantage !== 'engine' || entry === root))
  const [seer] = seers
  const start = seer === root ? root.startUnixNano : undefined
  if (seer !== undefined && columns.ttft === null && isStreamed(root, observations)) {
    const from = start ?? (seer.vantage === 'client' ? seer.startUnixNano : (seer.boundaries.received ?? seer.startUnixNano))
    columns.ttft = Math.max(0, secondsBetween(from, seer.boundaries.firstToken as bigint))
  }
  const { firstToken, lastToken } = seer?.boundaries ?? {}
  const tokens = columns.output_tokens
  if (columns.tpot === null && firstToken !== undefined && lastToken !== undefined && tokens !== null && tokens > 1) {
    columns.tpot = Math.max(0, secondsBetween(firstToken, lastToken)) / (tokens - 1)
  }
}

/** A caller that saw the answer whole has no first token, whatever the servers behind it say. */
function isStreamed(root: Observation, observations: readonly Observation[]): boolean {
  if (root.vantage !== 'client') return true
  const clients = observations.filter(({ vantage }) => vantage === 'client')
  if (clients.some(({ boundaries }) => boundaries.firstToken !== undefined)) return true
  return observations.some(({ vantage, boundaries }) => vantage === 'sidecar' && boundaries.firstToken !== undefined)
}
