// Weeks of metric history in minutes: the hub's own registry driven in virtual time from simulated records and samples, each page written
// with its time stamp, ready for `promtool tsdb create-blocks-from openmetrics`. The same code as the hub's /metrics, so a board or a rule
// that works here works there.
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS, type HubMetricKey } from '@longpole/model/conventions/metrics'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { OpenRequest } from '@longpole/model/observation'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Objective } from '@longpole/model/slo'
import { publishConfig } from '../../collector/exporters/prometheus/config-metrics.ts'
import { createRegistry, type MetricRegistry } from '../../collector/exporters/prometheus/registry.ts'
import { createRequestMetrics } from '../../collector/exporters/prometheus/request-metrics.ts'
import type { Config } from '../../src/config/schema.ts'
import { endOf, settledAt } from './data-set.ts'

export interface HistorySource {
  /** Settled, in the order of settling. */
  records: readonly RequestRecord[]
  samples: readonly EngineSample[]
  objectives: readonly Objective[]
  /** Open findings at an instant, none by default; null: the localizer is stopped. */
  findings?: ((unixNano: bigint) => readonly Finding[]) | null
  events?: readonly ChangeEvent[]
  prices?: Config['prices']
  /** Scrape interval, seconds. */
  stepSeconds?: number
  /** Series to be kept, by their names on the page (`…_bucket`, `…_sum`, `…_count`); all of them by default. */
  isWanted?: (series: string) => boolean
}

export interface WrittenHistory {
  /** Bounds, Unix seconds. */
  from: number
  to: number
  /** Scrapes. */
  pages: number
}

/** Writes the history as OpenMetrics with time stamps. */
export async function writeHistory(path: string, source: HistorySource): Promise<WrittenHistory> {
  const { samples, objectives, events = [], stepSeconds = 15, isWanted = () => true } = source
  const records = source.records.filter((record) => record.outcome !== 'open')
  const step = BigInt(stepSeconds) * 1_000_000_000n
  if (records.length === 0) throw new Error('a history needs records')
  let now = (earliestStart(records) / step) * step
  const end = settledAt(records.at(-1) as RequestRecord) + step
  const clock: Clock = { unixNano: () => now, monotonicMs: () => Number(now / 1_000_000n) }
  const registry = createWantedRegistry(isWanted)
  const metrics = createRequestMetrics(registry, objectives, clock)
  if (source.prices !== undefined) publishConfig(registry, { prices: source.prices })
  const inFlight = createInFlight(source.records)
  const out = createWriteStream(path)
  const from = Number(now / 1_000_000_000n)
  let nextRecord = 0
  let nextSample = 0
  let nextEvent = 0
  let pages = 0
  for (; now <= end; now += step) {
    while (nextSample < samples.length && (samples[nextSample] as EngineSample).unix_ns <= now)
      metrics.sample(samples[nextSample++] as EngineSample)
    while (nextRecord < records.length && settledAt(records[nextRecord] as RequestRecord) <= now)
      metrics.settled(records[nextRecord++] as RequestRecord)
    metrics.open(inFlight(now))
    const news: ChangeEvent[] = []
    while (nextEvent < events.length && (events[nextEvent] as ChangeEvent).unix_ns <= now) news.push(events[nextEvent++] as ChangeEvent)
    if (news.length > 0) metrics.events(news)
    if (source.findings !== null) metrics.findings(source.findings?.(now) ?? [], now)
    metrics.expire()
    const stamp = Number(now / 1_000_000n) / 1e3
    const page = await registry.render(false)
    for (const line of page.split('\n')) {
      const series = /^[\w:]+/.exec(line)?.[0]
      if (series !== undefined && isWanted(series)) out.write(`${line} ${stamp}\n`)
    }
    pages++
    if (out.writableNeedDrain) await once(out, 'drain')
  }
  out.end('# EOF\n')
  await finished(out)
  return { from, to: Number(end / 1_000_000_000n), pages }
}

/** The hub's registry; counting on a metric that nobody wants costs nothing and is on no page. */
function createWantedRegistry(isWanted: (series: string) => boolean): MetricRegistry<HubMetricKey> {
  const keys = (Object.keys(HUB_EXPORTED_METRICS) as HubMetricKey[]).filter((key) =>
    ['', '_bucket', '_sum', '_count'].some((suffix) => isWanted(`${HUB_EXPORTED_METRICS[key].name}${suffix}`)),
  )
  const definitions = Object.fromEntries(keys.map((key) => [key, HUB_EXPORTED_METRICS[key]])) as typeof HUB_EXPORTED_METRICS
  const registry = createRegistry(definitions, { version: 'history', component: 'hub' })
  const wanted = new Set(keys)
  const nothing = { increment() {}, observe() {} }
  return {
    ...registry,
    increment: (key, ...rest) => (wanted.has(key) ? registry.increment(key, ...rest) : undefined),
    set: (key, ...rest) => (wanted.has(key) ? registry.set(key, ...rest) : undefined),
    observe: (key, ...rest) => (wanted.has(key) ? registry.observe(key, ...rest) : undefined),
    handle: (key, labels) => (wanted.has(key) ? registry.handle(key, labels) : nothing),
    remove: (key, labels) => (wanted.has(key) ? registry.remove(key, labels) : undefined),
    clear: (key) => (wanted.has(key) ? registry.clear(key) : undefined),
  }
}

/** The pages of a stretch of time again, `secondsEarlier`: what a board compares with. */
export function copyEarlier(from: string, to: string, stretch: { from: number; to: number }, secondsEarlier: number): Promise<void> {
  return copyLines(from, to, [secondsEarlier], (_name, at) => at >= stretch.from && at <= stretch.to)
}

/** Copies of the lines of chosen series and instants (Unix seconds), each moved so many seconds into the past; the largest shift comes first. */
export async function copyLines(
  from: string,
  to: string,
  shifts: readonly number[],
  isWanted: (name: string, unixSeconds: number) => boolean,
): Promise<void> {
  const out = createWriteStream(to)
  for (const shift of shifts) {
    for await (const line of createInterface({ input: createReadStream(from), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.startsWith('#')) continue
      const space = line.lastIndexOf(' ')
      const at = Number(line.slice(space + 1))
      if (!isWanted(/^\w+/.exec(line)?.[0] ?? '', at)) continue
      if (!out.write(`${line.slice(0, space)} ${at - shift}\n`)) await once(out, 'drain')
    }
  }
  out.end('# EOF\n')
  await finished(out)
}

/** Requests that have begun and not ended at an instant, as a sidecar would report them. */
function createInFlight(records: readonly RequestRecord[]): (now: bigint) => OpenRequest[] {
  const byStart = [...records].sort((a, b) => Number(a.start_unix_ns - b.start_unix_ns))
  let next = 0
  let open: RequestRecord[] = []
  return (now) => {
    while (next < byStart.length && (byStart[next] as RequestRecord).start_unix_ns <= now) open.push(byStart[next++] as RequestRecord)
    open = open.filter((record) => endOf(record) > now)
    return open.map((record) => {
      const ageSeconds = Number(now - record.start_unix_ns) / 1e9
      const hasToken = record.ttft !== null && ageSeconds > record.ttft
      const { cluster, region, model, replica, prompt_class, tenant_class, route } = record
      return {
        traceId: record.trace_id,
        spanId: record.record_id.slice(-16),
        requestId: record.request_id ?? '',
        startUnixNano: record.start_unix_ns,
        observedUnixNano: now,
        ageSeconds,
        phase: hasToken ? 'engine.decode' : 'engine.queue',
        columns: { cluster, region, model, replica, prompt_class, tenant_class, route, ...(hasToken ? { ttft: record.ttft } : {}) },
      }
    })
  }
}

function earliestStart(records: readonly RequestRecord[]): bigint {
  let earliest = (records[0] as RequestRecord).start_unix_ns
  for (const { start_unix_ns } of records) if (start_unix_ns < earliest) earliest = start_unix_ns
  return earliest
}
