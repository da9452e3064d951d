// Weeks of metric history in minutes: the hub's own registry driven in virtual time from simulated records and samples, each page written
// with its time stamp, ready for `promtool tsdb create-blocks-from openmetrics`. The same code as the hub's /metrics, so a board or a rule
// that works here works there.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Clock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS } from '@longpole/model/conventions/metrics'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { OpenRequest } from '@longpole/model/observation'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Objective } from '@longpole/model/slo'
import { createRegistry } from '../../collector/exporters/prometheus/registry.ts'
import { createRequestMetrics } from '../../collector/exporters/prometheus/request-metrics.ts'
import { settledAt } from './data-set.ts'

export interface HistorySource {
  /** Settled, in the order of settling. */
  records: readonly RequestRecord[]
  samples: readonly EngineSample[]
  objectives: readonly Objective[]
  /** Open findings at an instant, if any. */
  findings?: (unixNano: bigint) => readonly Finding[]
  /** Scrape interval, seconds. */
  stepSeconds?: number
}

/** Writes the history and returns its bounds, Unix seconds. */
export async function writeHistory(path: string, source: HistorySource): Promise<{ from: number; to: number; pages: number }> {
  const { records, samples, objectives, stepSeconds = 15 } = source
  const step = BigInt(stepSeconds) * 1_000_000_000n
  if (records.length === 0) throw new Error('a history needs records')
  let now = (earliestStart(records) / step) * step
  const end = settledAt(records.at(-1) as RequestRecord) + step
  const clock: Clock = { unixNano: () => now, monotonicMs: () => Number(now / 1_000_000n) }
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version: 'history', component: 'hub' })
  const metrics = createRequestMetrics(registry, objectives, clock)
  const inFlight = createInFlight(records)
  const out = createWriteStream(path)
  const from = Number(now / 1_000_000_000n)
  let nextRecord = 0
  let nextSample = 0
  let pages = 0
  for (; now <= end; now += step) {
    while (nextSample < samples.length && (samples[nextSample] as EngineSample).unix_ns <= now)
      metrics.sample(samples[nextSample++] as EngineSample)
    while (nextRecord < records.length && settledAt(records[nextRecord] as RequestRecord) <= now)
      metrics.settled(records[nextRecord++] as RequestRecord)
    metrics.open(inFlight(now))
    metrics.findings(source.findings?.(now) ?? [], now)
    metrics.expire()
    const stamp = Number(now / 1_000_000n) / 1e3
    const page = await registry.render(false)
    for (const line of page.split('\n')) if (line !== '' && !line.startsWith('#')) out.write(`${line} ${stamp}\n`)
    pages++
    if (out.writableNeedDrain) await once(out, 'drain')
  }
  out.end('# EOF\n')
  await finished(out)
  return { from, to: Number(end / 1_000_000_000n), pages }
}

/** Requests that have begun and not ended at an instant, as a sidecar would report them. */
function createInFlight(records: readonly RequestRecord[]): (now: bigint) => OpenRequest[] {
  const byStart = [...records].sort((a, b) => Number(a.start_unix_ns - b.start_unix_ns))
  let next = 0
  let open: RequestRecord[] = []
  const endOf = (record: RequestRecord): bigint =>
    record.outcome === 'open' ? 1n << 62n : record.start_unix_ns + BigInt(Math.round((record.e2e ?? 0) * 1e9))
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
