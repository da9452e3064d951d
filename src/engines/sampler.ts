// An engine's /metrics page → EngineSamples: finds out whose page it is by the names on it, reads gauges and turns counters into
// rates per rank. One sampler belongs to one replica and remembers its last page.
import { type EngineSample, emptySample } from '@longpole/model/engine-sample'
import { type ExpositionSample, parseExposition } from '../wire/exposition/parse.ts'
import type { ExpositionTable, MetricSource } from './adapter.ts'
import { EXPOSITIONS, type NamedExposition } from './expositions.ts'

export interface SampledReplica {
  cluster: string | null
  region: string | null
  /** Overrides the page's own label; null takes it from the page. */
  model: string | null
  pool: string | null
  replica: string
  /** Rank of the whole server; null takes ranks from the page's labels. */
  rank: string | null
}

export interface EngineSampler {
  /** One sample a rank; one without numbers where the page is nobody's that is known. */
  sample(pageText: string, unixNano: bigint): EngineSample[]
  /** Samples of a replica whose page did not come: down, and named as its last page named it. */
  down(unixNano: bigint): EngineSample[]
  /** Names that this engine and version should expose and the last page had not. */
  missing(): string[]
  /** Name of the engine whose page it is; null before the first page and for a page of which nothing is known. */
  engine(): string | null
}

interface Counters {
  unixNano: bigint
  /** Field → cumulative value. */
  values: Map<string, number>
}

/** What only the page tells of who it is about. */
type Named = Pick<EngineSample, 'model' | 'pool' | 'rank' | 'engine' | 'engine_version'>

/** Ranks kept of one page; a page with more is someone's mistake. */
const MAX_RANKS = 512

export function createSampler(identity: SampledReplica): EngineSampler {
  const last = new Map<string, Counters>()
  let missing: string[] = []
  let names: Named[] = [{ model: identity.model, pool: identity.pool, rank: identity.rank, engine: null, engine_version: null }]
  let found: NamedExposition | null = null
  return {
    missing: () => missing,
    engine: () => found?.engine ?? null,
    sample(pageText, unixNano) {
      const page = parseExposition(pageText, {}, isWanted)
      const series = seriesByName(page.samples)
      found = EXPOSITIONS.find(({ table }) => isPageOf(table, series)) ?? null
      if (found === null) {
        missing = []
        return [base(identity, unixNano)]
      }
      const { table } = found
      missing = missingNames(table, series)
      const ranks = ranksOf(table, series)
      const samples = ranks.map((rank) => {
        const key = rank ?? ''
        const own = { table, series, rank, only: ranks.length === 1 }
        const counters: Counters = { unixNano, values: readCounters(own) }
        const sample = fill(base(identity, unixNano), found as NamedExposition, own, counters, last.get(key))
        last.set(key, counters)
        return sample
      })
      names = samples.map(({ model, pool, rank, engine, engine_version }) => ({ model, pool, rank, engine, engine_version }))
      return samples
    },
    down: (unixNano) => names.map((named) => ({ ...base(identity, unixNano), ...named, up: false })),
  }
}

const KNOWN_PREFIXES = EXPOSITIONS.flatMap(({ table }) => [...table.prefixes, ...(table.startTime?.names ?? [])])

/** Histogram buckets are most of a page, and no sample reads them. */
function isWanted(name: string): boolean {
  return !name.endsWith('_bucket') && !name.endsWith('_created') && KNOWN_PREFIXES.some((prefix) => name.startsWith(prefix))
}

type Series = ReadonlyMap<string, readonly ExpositionSample[]>

function seriesByName(samples: readonly ExpositionSample[]): Series {
  const series = new Map<string, ExpositionSample[]>()
  for (const sample of samples) {
    const same = series.get(sample.name)
    if (same) same.push(sample)
    else series.set(sample.name, [sample])
  }
  return series
}

function isPageOf(table: ExpositionTable, series: Series): boolean {
  const named = [...series.keys()].some((name) => table.prefixes.some((prefix) => name.startsWith(prefix)))
  return named && (table.markers ?? []).every((names) => names.some((name) => series.has(name)))
}

function missingNames(table: ExpositionTable, series: Series): string[] {
  const used = [table.rates.requests_per_second, table.rates.output_tokens_per_second].some(
    (source) => source !== undefined && (combine(find(source, series), 'sum') ?? 0) > 0,
  )
  return table.expected
    .filter(({ names, atStart }) => (atStart || used) && !names.some((name) => series.has(name)))
    .map(({ names }) => names[0] as string)
}

/** Ranks that the table's gauges and rates are split by; one null rank where the page knows none. */
function ranksOf(table: ExpositionTable, series: Series): (string | null)[] {
  const ranks = new Set<string>()
  for (const source of [...Object.values(table.gauges), ...Object.values(table.rates)]) {
    for (const sample of find(source, series)) {
      const rank = rankOf(table, sample)
      if (rank !== null && ranks.size < MAX_RANKS) ranks.add(rank)
    }
  }
  return ranks.size === 0 ? [null] : [...ranks].sort()
}

function rankOf(table: ExpositionTable, sample: ExpositionSample): string | null {
  for (const label of table.rankLabels) {
    const value = sample.labels[label]
    if (value !== undefined && value !== '') return value
  }
  return null
}

interface RankView {
  table: ExpositionTable
  series: Series
  rank: string | null
  /** The only rank: numbers without a rank label are its own too. */
  only: boolean
}

function find(source: MetricSource, series: Series): readonly ExpositionSample[] {
  for (const name of source.names) {
    const samples = series.get(name)
    if (samples === undefined) continue
    const where = Object.entries(source.where ?? {})
    return where.length === 0 ? samples : samples.filter(({ labels }) => where.every(([label, value]) => labels[label] === value))
  }
  return []
}

/** Null where the page has no such number for this rank: absent is not zero. */
function read(source: MetricSource | undefined, { table, series, rank, only }: RankView): number | null {
  if (source === undefined) return null
  const own = find(source, series).filter((sample) => {
    const of = rankOf(table, sample)
    return of === rank || (of === null && only)
  })
  const value = combine(own, source.combine)
  return value === null ? null : value * (source.scale ?? 1)
}

function combine(samples: readonly ExpositionSample[], how: MetricSource['combine']): number | null {
  const values = samples.map((sample) => sample.value).filter(Number.isFinite)
  if (values.length === 0) return null
  if (how === 'max') return values.reduce((most, value) => Math.max(most, value))
  const sum = values.reduce((total, value) => total + value, 0)
  return how === 'mean' ? sum / values.length : sum
}

function readCounters(view: RankView): Map<string, number> {
  const values = new Map<string, number>()
  const sources = { ...view.table.rates, 'step.sum': view.table.step?.sum, 'step.count': view.table.step?.count }
  for (const [field, source] of Object.entries(sources)) {
    const value = read(source, view)
    if (value !== null) values.set(field, value)
  }
  return values
}

function base(identity: SampledReplica, unixNano: bigint): EngineSample {
  return { ...emptySample(identity.replica, unixNano), ...identity }
}

function fill(sample: EngineSample, named: NamedExposition, view: RankView, counters: Counters, before: Counters | undefined) {
  const { table, series, rank } = view
  const labels = labelsOf(view)
  sample.engine = named.engine
  sample.engine_version = versionOf(table, series)
  sample.model ??= labels[table.modelLabel] ?? null
  sample.pool ??= table.pool ? (table.pool.values[labels[table.pool.label] ?? ''] ?? null) : null
  sample.rank ??= rank
  for (const [field, source] of Object.entries(table.gauges)) sample[field as keyof typeof table.gauges] = read(source, view)
  const startSeconds = read(table.startTime, { ...view, only: true })
  if (startSeconds !== null) sample.age_seconds = Math.max(0, Number(counters.unixNano) / 1e9 - startSeconds)
  if (before === undefined) return sample
  const elapsed = Number(counters.unixNano - before.unixNano) / 1e9
  for (const field of Object.keys(table.rates)) {
    const gained = increase(field, counters, before)
    sample[field as keyof typeof table.rates] = gained === null || elapsed <= 0 ? null : gained / elapsed
  }
  const steps = increase('step.count', counters, before)
  const spent = increase('step.sum', counters, before)
  sample.step_seconds = steps === null || spent === null || steps <= 0 ? null : spent / steps
  return sample
}

/** Null at the first sight and after a reset: what was lost between is not known. */
function increase(field: string, now: Counters, before: Counters): number | null {
  const later = now.values.get(field)
  const earlier = before.values.get(field)
  return later === undefined || earlier === undefined || later < earlier ? null : later - earlier
}

/** Labels of the first series that has the model's label and belongs to the rank. */
function labelsOf({ table, series, rank }: RankView): Record<string, string> {
  for (const [name, samples] of series) {
    if (!table.prefixes.some((prefix) => name.startsWith(prefix))) continue
    const own = samples.find((sample) => sample.labels[table.modelLabel] !== undefined && [rank, null].includes(rankOf(table, sample)))
    if (own) return own.labels
  }
  return {}
}

function versionOf(table: ExpositionTable, series: Series): string | null {
  if (table.version !== undefined) {
    const { names, label } = table.version
    const value = find({ names, combine: 'sum' }, series)[0]?.labels[label]
    if (value !== undefined && value !== '') return value
  }
  return table.versionMarkers?.find(({ name }) => series.has(name))?.version ?? null
}
