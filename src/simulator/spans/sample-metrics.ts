// Engine samples as our sidecars send them: one OTLP gauge (JSON form), a data point a number.
import { Longpole, SampleMetric, ScopeName } from '@longpole/model/conventions/attributes'
import { type EngineSample, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import { toKeyValues } from './open-logs.ts'
import type { SpanAttributes } from './span.ts'

const NAMES = [
  ['replica', Longpole.replica],
  ['rank', Longpole.rank],
  ['model', Longpole.model],
  ['pool', Longpole.pool],
  ['cluster', Longpole.cluster],
  ['region', Longpole.region],
  ['engine', Longpole.engine],
  ['engine_version', Longpole.engineVersion],
] as const satisfies readonly (readonly [keyof EngineSample, string])[]

/** An ExportMetricsServiceRequest as an object. */
export function sampleMetrics(samples: readonly EngineSample[]): object {
  const dataPoints = samples.flatMap((sample) => {
    const names: SpanAttributes = {}
    for (const [key, attribute] of NAMES) if (sample[key] !== null) names[attribute] = sample[key]
    const point = (field: string, value: number) => ({
      timeUnixNano: String(sample.unix_ns),
      asDouble: value,
      attributes: toKeyValues({ ...names, [SampleMetric.field]: field }),
    })
    const numbers = SAMPLE_NUMBERS.filter((field) => sample[field] !== null).map((field) => point(field, sample[field] as number))
    return [point('up', sample.up ? 1 : 0), ...numbers]
  })
  return {
    resourceMetrics: [
      {
        resource: { attributes: [] },
        scopeMetrics: [{ scope: { name: ScopeName.sidecar }, metrics: [{ name: SampleMetric.name, gauge: { dataPoints } }] }],
      },
    ],
  }
}
