// Metrics and log records as they travel in OTLP, decoded; spans are @longpole/model/span. Written by senders, read by encode.ts.
import type { Attributes, AttributeValue } from '@longpole/model/span'

/** Who speaks: shared by reference between the items of one batch, so that they are grouped. */
interface Origin {
  resource: Attributes
  scopeName: string
  scopeVersion: string
}

export interface NumberPoint {
  attributes: Attributes
  timeUnixNano: bigint
  /** Begin of the window of a sum; 0 for gauges. */
  startUnixNano?: bigint
  value: number
}

export interface HistogramPoint {
  attributes: Attributes
  timeUnixNano: bigint
  startUnixNano: bigint
  count: number
  sum: number
  /** Upper bounds without +Inf; `bucketCounts` has one more entry. */
  bounds: readonly number[]
  bucketCounts: readonly number[]
}

export type Temporality = 'delta' | 'cumulative'

export type MetricData =
  | { type: 'gauge'; points: NumberPoint[] }
  | { type: 'sum'; monotonic: boolean; temporality: Temporality; points: NumberPoint[] }
  | { type: 'histogram'; temporality: Temporality; points: HistogramPoint[] }

export interface Metric extends Origin {
  name: string
  description: string
  unit: string
  data: MetricData
}

export interface LogRecord extends Origin {
  timeUnixNano: bigint
  observedUnixNano: bigint
  /** OTLP SeverityNumber; 9 is INFO, 13 WARN, 17 ERROR. */
  severityNumber: number
  eventName: string
  body: AttributeValue
  attributes: Attributes
  /** Hexadecimal, empty where the record belongs to no span. */
  traceId: string
  spanId: string
}
