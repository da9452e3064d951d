// What a panel must show, computed from the records and samples themselves: no counters, no rates, no PromQL. A truth is a function from
// a moment to the rows that its query must return; truths/ has one for every query of every board.
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { RequestRecord } from '@longpole/model/request-record'
import { judge, judgeGoodput, type Objective, thresholdOf } from '@longpole/model/slo'
import { objectivesFor } from '../../src/config/objectives.ts'
import { endOf, settledAt } from '../metrics/data-set.ts'

export interface Row {
  labels: Record<string, string>
  value: number
  /** For quantiles of a histogram: the bucket that holds the true one. */
  low?: number
  high?: number
  /** May as well be missing: it ties with others for the last place, or its series began within the window, where a rate cannot see it. */
  optional?: boolean
}
export type Truth = (moment: Moment) => Row[]

export interface FleetView {
  records: readonly RequestRecord[]
  samples: readonly EngineSample[]
  objectives: readonly Objective[]
  findings: (at: number) => readonly Finding[]
  prices: Readonly<Record<string, number>>
  /** Seconds between scrapes. */
  step: number
  /** The history holds the healthy part again, an hour and a day earlier; what is compared with now happened so many seconds ago. */
  healthyAgo: number
}

/** Two scrapes and what lies between: the first and the last sample of a range selector. Unix seconds, from < x ≤ to. */
export interface Moment {
  fleet: FleetView
  from: number
  to: number
  /** The moment that an hour or a day ago looks like. */
  before: () => Moment
  /** The same end, with a window of so many seconds. */
  widen: (seconds: number) => Moment
}

export function momentOf(fleet: FleetView, at: number, windowSeconds: number): Moment {
  const to = Math.floor(at / fleet.step) * fleet.step
  return {
    fleet,
    to,
    from: to - windowSeconds + fleet.step,
    before: () => momentOf(fleet, at - fleet.healthyAgo, windowSeconds),
    widen: (seconds) => momentOf(fleet, at, seconds),
  }
}

/** One thing that happened, with the number that is summed or ranked. */
export interface Event {
  at: number
  record: RequestRecord
  value: number
  extra: Readonly<Record<string, string | null>>
}
export type Source = (fleet: FleetView) => readonly Event[]

const caches = new WeakMap<FleetView, Map<unknown, readonly Event[]>>()

function cached(read: Source): Source {
  return (fleet) => {
    const ofFleet = caches.get(fleet) ?? new Map()
    caches.set(fleet, ofFleet)
    const events = ofFleet.get(read) ?? read(fleet)
    ofFleet.set(read, events)
    return events
  }
}

const NOTHING = {}

/** A number of each settled request; null: it has none. */
export function each(read: (record: RequestRecord) => number | null | undefined, keep?: (record: RequestRecord) => boolean): Source {
  return several((record) => {
    const value = read(record)
    return value === null || value === undefined || keep?.(record) === false ? [] : [{ value, extra: NOTHING }]
  })
}

/** Several numbers of each settled request, each with labels of its own. */
export function several(
  read: (record: RequestRecord) => readonly { value: number; extra: Readonly<Record<string, string | null>> }[],
): Source {
  return cached((fleet) =>
    fleet.records
      .filter((record) => record.outcome !== 'open')
      .flatMap((record) => {
        const at = Number(settledAt(record)) / 1e9
        return read(record).map(({ value, extra }) => ({ at, record, value, extra }))
      }),
  )
}

/** Judged requests: bad at the first scrape after a deadline that passed while the request was open, else when it settles. */
export const judged: Source = cached((fleet) => fleet.records.flatMap((record) => judgements(fleet, record)))

function judgements(fleet: FleetView, record: RequestRecord): Event[] {
  const start = Number(record.start_unix_ns) / 1e9
  const end = Number(endOf(record)) / 1e9
  const settled = Number(settledAt(record)) / 1e9
  const events: Event[] = []
  const put = (at: number, slo: string, result: string) => events.push({ at, record, value: 1, extra: { slo, result } })
  const objectives = objectivesFor(fleet.objectives, record.model, record.tenant_class)
  let lateAt = Number.POSITIVE_INFINITY
  const results = objectives
    .filter(({ slo }) => slo !== 'goodput')
    .map((objective) => {
      const passed = passedAt(objective, record, start, end, fleet.step)
      if (passed !== null) {
        lateAt = Math.min(lateAt, passed)
        put(passed, objective.slo, 'bad')
        return 'bad'
      }
      const result = record.outcome === 'open' ? null : judge(objective, record)
      if (result !== null) put(settled, objective.slo, result)
      return result
    })
  const goodput = judgeGoodput(results)
  if (objectives.some(({ slo }) => slo === 'goodput') && goodput !== null && !(goodput === 'good' && record.outcome === 'open'))
    put(Number.isFinite(lateAt) ? lateAt : settled, 'goodput', goodput)
  return events
}

function passedAt(objective: Objective, record: RequestRecord, start: number, end: number, step: number): number | null {
  const limit = thresholdOf(objective, record.prompt_class)
  if (limit === null || (objective.slo !== 'ttft' && objective.slo !== 'e2e')) return null
  if (objective.slo === 'ttft' && record.ttft !== null && record.ttft <= limit) return null
  const page = (Math.floor((start + limit) / step) + 1) * step
  return page < end ? page : null
}

export const goodputOf = (fleet: FleetView, record: RequestRecord): string => {
  const results = judgements(fleet, record).filter(({ extra }) => extra.slo !== 'goodput')
  return judgeGoodput(results.map(({ extra }) => extra.result as 'good' | 'bad')) ?? ''
}

function key(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Unknown labels are absent, as Prometheus has them. */
function labelsOf(event: Event, by: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const name of by) {
    const value = name in event.extra ? event.extra[name] : event.record[name as keyof RequestRecord]
    if (value !== null && value !== undefined && value !== '') labels[name] = String(value)
  }
  return labels
}

interface Group {
  labels: Record<string, string>
  values: number[]
}

function group(source: Source, by: readonly string[], { fleet, from, to }: Moment): Group[] {
  const groups = new Map<string, Group>()
  for (const event of source(fleet)) {
    if (event.at <= from || event.at > to) continue
    const labels = labelsOf(event, by)
    const name = key(labels)
    const found = groups.get(name)
    if (found === undefined) groups.set(name, { labels, values: [event.value] })
    else found.values.push(event.value)
  }
  return [...groups.values()]
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

/** Sum of the numbers per second. */
export const perSecond =
  (source: Source, by: readonly string[] = []): Truth =>
  (moment) =>
    group(source, by, moment).map(({ labels, values }) => ({ labels, value: total(values) / (moment.to - moment.from) }))

/** Events per second. Where nothing of the kind had happened before, a rate does not see the first. */
export const frequency =
  (source: Source, by: readonly string[] = []): Truth =>
  (moment) => {
    const old = new Set(source(moment.fleet).flatMap((event) => (event.at <= moment.from ? [key(labelsOf(event, by))] : [])))
    return group(source, by, moment).map(({ labels, values }) => ({
      labels,
      value: values.length / (moment.to - moment.from),
      ...(old.has(key(labels)) ? {} : { optional: true }),
    }))
  }

export const mean =
  (source: Source, by: readonly string[] = []): Truth =>
  (moment) =>
    group(source, by, moment).map(({ labels, values }) => ({ labels, value: total(values) / values.length }))

/** The value below or at which a share of all lies (nearest rank), with its histogram bucket. */
export const quantile =
  (share: number, source: Source, buckets: readonly number[], by: readonly string[] = []): Truth =>
  (moment) =>
    group(source, by, moment).map(({ labels, values }) => {
      const sorted = [...values].sort((a, b) => a - b)
      const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
      const index = buckets.findIndex((bound) => value <= bound)
      const last = buckets.at(-1) as number
      return { labels, value, low: index < 0 ? last : (buckets[index - 1] ?? 0), high: index < 0 ? last : (buckets[index] as number) }
    })

/** How many lie at or below each bound of a histogram, over the window as Prometheus extrapolates it. */
export const cumulative =
  (source: Source, buckets: readonly number[]): Truth =>
  (moment) => {
    const values = group(source, [], moment)[0]?.values ?? []
    const scale = (moment.to - moment.from + moment.fleet.step) / (moment.to - moment.from)
    return [...buckets, Number.POSITIVE_INFINITY].map((bound) => ({
      labels: { le: bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound) },
      value: scale * values.filter((value) => value <= bound).length,
    }))
  }

type Operation = 'sum' | 'avg' | 'max' | 'min' | 'count'

const OPERATIONS: Record<Operation, (values: readonly number[]) => number> = {
  sum: total,
  avg: (values) => total(values) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  count: (values) => values.length,
}

/** Samples that are heard of at a scrape: the newest of each rank, not older than half a minute. */
export function samplesAt(fleet: FleetView, at: number): EngineSample[] {
  const newest = new Map<string, EngineSample>()
  for (const sample of fleet.samples) {
    const seconds = Number(sample.unix_ns) / 1e9
    if (seconds <= at && seconds >= at - 30) newest.set(`${sample.replica} ${sample.rank}`, sample)
  }
  return [...newest.values()]
}

export const gauge =
  (
    operation: Operation,
    read: (sample: EngineSample) => number | null,
    by: readonly string[] = [],
    keep: (sample: EngineSample) => boolean = () => true,
  ): Truth =>
  ({ fleet, to }) => {
    const groups = new Map<string, { labels: Record<string, string>; values: number[] }>()
    for (const sample of samplesAt(fleet, to)) {
      const value = sample.up ? read(sample) : null
      if (value === null || !keep(sample)) continue
      const labels: Record<string, string> = {}
      for (const name of by) {
        const label = sample[name as keyof EngineSample]
        if (label !== null && label !== '') labels[name] = String(label)
      }
      const found = groups.get(key(labels)) ?? { labels, values: [] }
      groups.set(key(labels), found)
      found.values.push(value)
    }
    return [...groups.values()].map(({ labels, values }) => ({ labels, value: OPERATIONS[operation](values) }))
  }

/** Tokens or events by the engines' own counters, per second: what each sample says of the time since the one before it. */
export const engineRate =
  (read: (sample: EngineSample) => number | null, by: readonly string[] = []): Truth =>
  ({ fleet, from, to }) => {
    const before = new Map<string, number>()
    const rows = new Map<string, Row>()
    for (const sample of fleet.samples) {
      const seconds = Number(sample.unix_ns) / 1e9
      const name = `${sample.replica} ${sample.rank}`
      const since = seconds - (before.get(name) ?? Number.NaN)
      before.set(name, seconds)
      const rate = sample.up ? read(sample) : null
      // A sample is on the page of the first scrape at or after it.
      if (rate === null || !(since > 0 && since <= 60) || seconds <= from || seconds > to) continue
      const labels = Object.fromEntries(by.map((label) => [label, String(sample[label as keyof EngineSample] ?? '')]))
      const row = rows.get(key(labels)) ?? { labels, value: 0 }
      row.value += (rate * since) / (to - from)
      rows.set(key(labels), row)
    }
    return [...rows.values()]
  }

function pick(labels: Readonly<Record<string, string>>, names: readonly string[] | undefined): Record<string, string> {
  return names === undefined ? { ...labels } : Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)))
}

/** Each row of the left with the row of the right that has the same labels, or the same of those named. */
export const combine =
  (left: Truth, right: Truth, operate: (a: number, b: number) => number, on?: readonly string[]): Truth =>
  (moment) => {
    const byKey = new Map(right(moment).map((row) => [key(pick(row.labels, on)), row.value]))
    return left(moment).flatMap(({ labels, value }) => {
      const other = byKey.get(key(pick(labels, on)))
      return other === undefined ? [] : [{ labels, value: operate(value, other) }]
    })
  }

export const over = (left: Truth, right: Truth, on?: readonly string[]): Truth => combine(left, right, (a, b) => a / b, on)
export const minus = (left: Truth, right: Truth, on?: readonly string[]): Truth => combine(left, right, (a, b) => a - b, on)
export const plus = (left: Truth, right: Truth, on?: readonly string[]): Truth => combine(left, right, (a, b) => a + b, on)
export const scaled =
  (factor: number, truth: Truth): Truth =>
  (moment) =>
    truth(moment).map((row) => ({ ...row, value: factor * row.value }))

/** Where the left says nothing but the right does, 0. */
export const orZero =
  (left: Truth, right: Truth): Truth =>
  (moment) => {
    const rows = left(moment)
    const known = new Set(rows.map(({ labels }) => key(labels)))
    return [...rows, ...right(moment).flatMap(({ labels }) => (known.has(key(labels)) ? [] : [{ labels, value: 0 }]))]
  }

/** Share of a kind among all: 0 where there is none of it. */
export const share = (part: Truth, whole: Truth): Truth => over(orZero(part, whole), whole)

export const before =
  (truth: Truth): Truth =>
  (moment) =>
    truth(moment.before())

/** The largest (or, negative, the smallest) so many. */
export const top =
  (count: number, truth: Truth): Truth =>
  (moment) => {
    const sorted = truth(moment)
      .filter(({ value }) => !Number.isNaN(value))
      .sort((a, b) => (count >= 0 ? b.value - a.value : a.value - b.value))
    const last = sorted[Math.abs(count) - 1]?.value
    if (last === undefined) return sorted
    const sides = sorted.filter(({ value }, index) => index < Math.abs(count) || value === last)
    return sides.map((row) => (row.value === last ? { ...row, optional: true } : row))
  }

/** Only rows whose value satisfies. */
export const where =
  (truth: Truth, keep: (value: number) => boolean): Truth =>
  (moment) =>
    truth(moment).filter(({ value }) => keep(value))

/** Aggregates rows. */
export const fold =
  (operation: Operation, truth: Truth, by: readonly string[] = []): Truth =>
  (moment) => {
    const groups = new Map<string, { labels: Record<string, string>; values: number[] }>()
    for (const { labels, value } of truth(moment)) {
      const picked = pick(labels, by)
      const found = groups.get(key(picked)) ?? { labels: picked, values: [] }
      groups.set(key(picked), found)
      found.values.push(value)
    }
    return [...groups.values()].map(({ labels, values }) => ({ labels, value: OPERATIONS[operation](values) }))
  }

/** Values are right within a hundredth; quantiles lie in the bucket of the true one. Returns what is wrong, in words. */
export function compare(expected: readonly Row[], got: readonly Row[]): string[] {
  const wrong: string[] = []
  const byKey = new Map(got.map((row) => [key(row.labels), row]))
  for (const row of expected) {
    const name = key(row.labels)
    const found = byKey.get(name)
    byKey.delete(name)
    if (found === undefined) {
      if (Number.isFinite(row.value) && row.optional !== true) wrong.push(`${describe(row.labels)}: nothing, should be ${row.value}`)
    } else if (!agrees(row, found.value) && !(row.optional === true && found.value === 0))
      wrong.push(`${describe(row.labels)}: ${found.value}, should be ${row.value}`)
  }
  for (const row of byKey.values()) {
    // A counter that stood still.
    if (row.value !== 0 && !Number.isNaN(row.value)) wrong.push(`${describe(row.labels)}: ${row.value}, should be nothing`)
  }
  return wrong
}

function agrees({ value, low, high }: Row, got: number): boolean {
  if (low !== undefined && high !== undefined) return got >= low * (1 - 1e-9) && got <= high * (1 + 1e-9)
  if (Number.isNaN(value)) return Number.isNaN(got)
  return Math.abs(got - value) <= 0.01 * Math.abs(value) + 1e-9
}

function describe(labels: Readonly<Record<string, string>>): string {
  return (
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ') || 'all'
  )
}
