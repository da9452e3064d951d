// OTLP protobuf metric bodies → metrics (opentelemetry-proto metrics/v1). The hub reads sidecars' engine samples (gauges) from them;
// exponential histograms and summaries are skipped and counted.
import { readGroups } from './decode.ts'
import { BYTES, DECODE_LIMITS, type DecodeLimits, FIXED64, guarded, OtlpReader, VARINT } from './decode-value.ts'
import type { HistogramPoint, Metric, NumberPoint, Temporality } from './signals.ts'

export interface DecodedMetrics {
  metrics: Metric[]
  /** Metrics of a kind that is not read. */
  unsupported: number
  truncated: number
}

const GAUGE = 5
const SUM = 7
const HISTOGRAM = 9
const KINDS_NOT_READ = [10, 11]

/** ExportMetricsServiceRequest → metrics. Throws MalformedOtlp or TooManyItems. */
export function decodeMetrics(body: Uint8Array, limits: DecodeLimits = DECODE_LIMITS): DecodedMetrics {
  return guarded(() => {
    const reader = new OtlpReader(body, limits)
    const metrics: Metric[] = []
    let unsupported = 0
    readGroups(reader, (outerEnd, origin) => {
      let data: Metric['data'] | null = null
      const texts = ['', '', '', '']
      reader.message(outerEnd, (field, type, end) => {
        if (type !== BYTES) return
        if (field <= 3) texts[field] = reader.text(end)
        else if (field === GAUGE || field === SUM) data = readNumbers(reader, end, field)
        else if (field === HISTOGRAM) data = readHistogram(reader, end)
        else if (KINDS_NOT_READ.includes(field)) unsupported++
      })
      const [, name, description, unit] = texts as [string, string, string, string]
      if (data !== null) metrics.push({ ...origin, name, description, unit, data })
    })
    return { metrics, unsupported, truncated: reader.truncated }
  })
}

function readNumbers(reader: OtlpReader, outerEnd: number, kind: typeof GAUGE | typeof SUM): Metric['data'] {
  const points: NumberPoint[] = []
  let temporality: Temporality = 'cumulative'
  let monotonic = false
  reader.message(outerEnd, (field, type, end) => {
    if (field === 1 && type === BYTES) points.push(readNumberPoint(reader, end))
    else if (field === 2 && type === VARINT) temporality = reader.uint() === 1 ? 'delta' : 'cumulative'
    else if (field === 3 && type === VARINT) monotonic = reader.uint() !== 0
  })
  return kind === GAUGE ? { type: 'gauge', points } : { type: 'sum', monotonic, temporality, points }
}

function readNumberPoint(reader: OtlpReader, outerEnd: number): NumberPoint {
  reader.countItem()
  const point: NumberPoint = { attributes: {}, timeUnixNano: 0n, startUnixNano: 0n, value: Number.NaN }
  let count = 0
  reader.message(outerEnd, (field, type, end) => {
    if (field === 7 && type === BYTES) reader.keyValue(end, point.attributes, count++)
    else if (type !== FIXED64) return
    else if (field === 2) point.startUnixNano = reader.fixed64()
    else if (field === 3) point.timeUnixNano = reader.fixed64()
    else if (field === 4) point.value = reader.double()
    else if (field === 6) point.value = reader.sfixed64()
  })
  return point
}

function readHistogram(reader: OtlpReader, outerEnd: number): Metric['data'] {
  const points: HistogramPoint[] = []
  let temporality: Temporality = 'cumulative'
  reader.message(outerEnd, (field, type, end) => {
    if (field === 1 && type === BYTES) points.push(readHistogramPoint(reader, end))
    else if (field === 2 && type === VARINT) temporality = reader.uint() === 1 ? 'delta' : 'cumulative'
  })
  return { type: 'histogram', temporality, points }
}

function readHistogramPoint(reader: OtlpReader, outerEnd: number): HistogramPoint {
  reader.countItem()
  const bounds: number[] = []
  const bucketCounts: number[] = []
  const point: HistogramPoint = { attributes: {}, timeUnixNano: 0n, startUnixNano: 0n, count: 0, sum: 0, bounds, bucketCounts }
  let count = 0
  reader.message(outerEnd, (field, type, end) => {
    if (type === BYTES) {
      if (field === 9) reader.keyValue(end, point.attributes, count++)
      else if (field === 6) packed(reader, end, bucketCounts, () => reader.sfixed64())
      else if (field === 7) packed(reader, end, bounds, () => reader.double())
    } else if (type === FIXED64) {
      if (field === 2) point.startUnixNano = reader.fixed64()
      else if (field === 3) point.timeUnixNano = reader.fixed64()
      else if (field === 4) point.count = reader.sfixed64()
      else if (field === 5) point.sum = reader.double()
      else if (field === 6) bucketCounts.push(reader.sfixed64())
      else if (field === 7) bounds.push(reader.double())
    }
  })
  return point
}

const MAX_BUCKETS = 1_000

function packed(reader: OtlpReader, outerEnd: number, into: number[], read: () => number): void {
  const end = reader.messageEnd(outerEnd)
  while (reader.position < end) {
    const value = read()
    if (into.length < MAX_BUCKETS) into.push(value)
  }
}
