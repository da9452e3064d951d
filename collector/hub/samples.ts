// OTLP gauges of sidecars → engine samples: one data point is one number of one replica (and rank) at one scrape.
import { Longpole, SampleMetric } from '@longpole/model/conventions/attributes'
import { type EngineSample, emptySample, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import type { Attributes } from '@longpole/model/span'
import type { Metric, NumberPoint } from '../../src/wire/otlp/signals.ts'

const NUMBERS: ReadonlySet<string> = new Set(SAMPLE_NUMBERS)

const NAMES = [
  ['cluster', Longpole.cluster],
  ['region', Longpole.region],
  ['model', Longpole.model],
  ['pool', Longpole.pool],
  ['rank', Longpole.rank],
  ['engine', Longpole.engine],
  ['engine_version', Longpole.engineVersion],
] as const

export interface ReadSamples {
  samples: EngineSample[]
  /** Data points of other metrics, or without a replica or a known field. */
  ignored: number
}

export function readSamples(metrics: readonly Metric[], defaultCluster: string | null): ReadSamples {
  const byKey = new Map<string, EngineSample>()
  let ignored = 0
  for (const metric of metrics) {
    const { points } = metric.data
    if (metric.name !== SampleMetric.name || metric.data.type !== 'gauge') {
      ignored += points.length
      continue
    }
    for (const point of points as NumberPoint[]) {
      if (!addPoint(byKey, point, metric.resource, defaultCluster)) ignored++
    }
  }
  return { samples: [...byKey.values()], ignored }
}

function addPoint(byKey: Map<string, EngineSample>, point: NumberPoint, resource: Attributes, defaultCluster: string | null): boolean {
  const { attributes, timeUnixNano, value } = point
  const field = attributes[SampleMetric.field]
  const replica = attributes[Longpole.replica] ?? resource[Longpole.replica]
  if (typeof field !== 'string' || typeof replica !== 'string' || replica === '' || !Number.isFinite(value)) return false
  if (field !== 'up' && !NUMBERS.has(field)) return false
  const key = `${timeUnixNano}\n${replica}\n${String(attributes[Longpole.rank] ?? '')}`
  let sample = byKey.get(key)
  if (sample === undefined) {
    sample = emptySample(replica, timeUnixNano)
    for (const [column, name] of NAMES) {
      const text = attributes[name] ?? resource[name]
      if (typeof text === 'string' || typeof text === 'number') sample[column] = String(text)
    }
    sample.cluster ??= defaultCluster
    byKey.set(key, sample)
  }
  if (field === 'up') sample.up = value !== 0
  else (sample as unknown as Record<string, number>)[field] = value
  return true
}
