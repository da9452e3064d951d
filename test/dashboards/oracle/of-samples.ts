// Truths about engines: what their samples say at a scrape, and their own counters over a window.
import type { EngineSample } from '@longpole/model/engine-sample'
import { group, key, known, OPERATIONS, type Operation } from './labels.ts'
import type { FleetView, Row, Truth } from './truth.ts'

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
    const seen = samplesAt(fleet, to).flatMap((sample) => {
      const value = sample.up ? read(sample) : null
      if (value === null || !keep(sample)) return []
      return [{ labels: known(by, (name) => sample[name as keyof EngineSample]), value }]
    })
    return group(seen).map(({ labels, values }) => ({ labels, value: OPERATIONS[operation](values) }))
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
      const labels = known(by, (name) => sample[name as keyof EngineSample])
      const row = rows.get(key(labels)) ?? { labels, value: 0 }
      row.value += (rate * since) / (to - from)
      rows.set(key(labels), row)
    }
    return [...rows.values()]
  }
