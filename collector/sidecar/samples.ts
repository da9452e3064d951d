// Engine samples → one OTLP gauge with a data point a number, as README.md tells. Unknown numbers have no point.
import { Longpole, SampleMetric, ScopeName } from '@longpole/model/conventions/attributes'
import { type EngineSample, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import type { Attributes } from '@longpole/model/span'
import type { Metric, NumberPoint } from '../../src/wire/otlp/signals.ts'
import type { SpanOrigin } from './spans.ts'

const NAMES = [
  ['replica', Longpole.replica],
  ['rank', Longpole.rank],
  ['cluster', Longpole.cluster],
  ['region', Longpole.region],
  ['pool', Longpole.pool],
  ['model', Longpole.model],
  ['engine', Longpole.engine],
  ['engine_version', Longpole.engineVersion],
] as const satisfies readonly (readonly [keyof EngineSample, string])[]

export function toMetric(samples: readonly EngineSample[], origin: SpanOrigin): Metric {
  return {
    name: SampleMetric.name,
    description: "One number of one look at the engine's own metrics.",
    unit: '',
    data: { type: 'gauge', points: samples.flatMap(pointsOf) },
    resource: origin.resource,
    scopeName: ScopeName.sidecar,
    scopeVersion: origin.version,
  }
}

function pointsOf(sample: EngineSample): NumberPoint[] {
  const names: Attributes = {}
  for (const [field, key] of NAMES) {
    const value = sample[field]
    if (value !== null) names[key] = value
  }
  const point = (field: string, value: number): NumberPoint => ({
    attributes: { [SampleMetric.field]: field, ...names },
    timeUnixNano: sample.unix_ns,
    value,
  })
  const points = [point('up', sample.up ? 1 : 0)]
  for (const field of SAMPLE_NUMBERS) {
    const value = sample[field]
    if (value !== null) points.push(point(field, value))
  }
  return points
}
