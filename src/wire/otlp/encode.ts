// Spans, metrics and log records → OTLP protobuf request bodies (opentelemetry-proto 1.x, collector/*/v1). Used by every sender of ours;
// the way back is decode.ts. Fields at their protobuf default are left out.
import type { Span, SpanEvent, SpanLink } from '@longpole/model/span'
import { PbfWriter } from 'pbf'
import { writeAttributes, writeFlags, writeGrouped, writeId, writeInstant, writeText, writeValue } from './encode-attributes.ts'
import type { HistogramPoint, LogRecord, Metric, NumberPoint, Temporality } from './signals.ts'

/** ExportTraceServiceRequest. Spans are grouped by resource (the same object) and scope, otherwise in the order given. */
export function encodeTraces(spans: readonly Span[]): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(1024))
  writeGrouped(spans, writeSpan, writer)
  return writer.finish()
}

/** ExportMetricsServiceRequest: gauges, sums and classic histograms. */
export function encodeMetrics(metrics: readonly Metric[]): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(1024))
  writeGrouped(metrics, writeMetric, writer)
  return writer.finish()
}

/** ExportLogsServiceRequest; records carry trace and span id where they belong to a span. */
export function encodeLogs(records: readonly LogRecord[]): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(1024))
  writeGrouped(records, writeLogRecord, writer)
  return writer.finish()
}

function writeSpan(span: Span, writer: PbfWriter): void {
  writeId(1, span.traceId, writer)
  writeId(2, span.spanId, writer)
  writeText(3, span.traceState, writer)
  writeId(4, span.parentSpanId, writer)
  writeText(5, span.name, writer)
  if (span.kind !== 0) writer.writeVarintField(6, span.kind)
  writeInstant(7, span.startUnixNano, writer)
  writeInstant(8, span.endUnixNano, writer)
  writeAttributes(9, span.attributes, writer)
  for (const event of span.events) writer.writeMessage(11, writeEvent, event)
  for (const link of span.links) writer.writeMessage(13, writeLink, link)
  if (span.statusCode !== 0 || span.statusMessage !== '') writer.writeMessage(15, writeStatus, span)
  writeFlags(16, span.flags, writer)
}

function writeStatus(span: Span, writer: PbfWriter): void {
  writeText(2, span.statusMessage, writer)
  if (span.statusCode !== 0) writer.writeVarintField(3, span.statusCode)
}

function writeEvent(event: SpanEvent, writer: PbfWriter): void {
  writeInstant(1, event.timeUnixNano, writer)
  writeText(2, event.name, writer)
  writeAttributes(3, event.attributes, writer)
}

function writeLink(link: SpanLink, writer: PbfWriter): void {
  writeId(1, link.traceId, writer)
  writeId(2, link.spanId, writer)
  writeAttributes(4, link.attributes, writer)
}

function writeMetric(metric: Metric, writer: PbfWriter): void {
  writeText(1, metric.name, writer)
  writeText(2, metric.description, writer)
  writeText(3, metric.unit, writer)
  const { data } = metric
  const field = data.type === 'gauge' ? 5 : data.type === 'sum' ? 7 : 9
  writer.writeMessage(
    field,
    (_, body) => {
      if (data.type === 'histogram') for (const point of data.points) body.writeMessage(1, writeHistogramPoint, point)
      else for (const point of data.points) body.writeMessage(1, writeNumberPoint, point)
      if (data.type !== 'gauge') body.writeVarintField(2, temporalityCode(data.temporality))
      if (data.type === 'sum' && data.monotonic) body.writeBooleanField(3, true)
    },
    undefined,
  )
}

/** AggregationTemporality of metrics/v1. */
function temporalityCode(temporality: Temporality): number {
  return temporality === 'delta' ? 1 : 2
}

function writeNumberPoint(point: NumberPoint, writer: PbfWriter): void {
  writeInstant(2, point.startUnixNano, writer)
  writeInstant(3, point.timeUnixNano, writer)
  writer.writeDoubleField(4, point.value)
  writeAttributes(7, point.attributes, writer)
}

function writeHistogramPoint(point: HistogramPoint, writer: PbfWriter): void {
  writeInstant(2, point.startUnixNano, writer)
  writeInstant(3, point.timeUnixNano, writer)
  writer.writeFixed64Field(4, point.count)
  writer.writeDoubleField(5, point.sum)
  writer.writePackedFixed64(6, [...point.bucketCounts])
  writer.writePackedDouble(7, [...point.bounds])
  writeAttributes(9, point.attributes, writer)
}

function writeLogRecord(record: LogRecord, writer: PbfWriter): void {
  writeInstant(1, record.timeUnixNano, writer)
  if (record.severityNumber !== 0) writer.writeVarintField(2, record.severityNumber)
  if (record.body !== null) writer.writeMessage(5, writeValue, record.body)
  writeAttributes(6, record.attributes, writer)
  writeId(9, record.traceId, writer)
  writeId(10, record.spanId, writer)
  writeInstant(11, record.observedUnixNano, writer)
  writeText(12, record.eventName, writer)
}
