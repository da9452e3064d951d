// Time-lapse: where virtual time runs faster than the wall clock, all durations that a span tells are as much shorter as the span is.
import { GenAi, Longpole } from '@longpole/model/conventions/attributes'
import type { SimSpan, SpanAttributes } from './span.ts'

/** Attributes that are seconds. Counts and names stay. */
const SECONDS: ReadonlySet<string> = new Set([
  Longpole.receivedAt,
  Longpole.sentAt,
  Longpole.headersAt,
  Longpole.firstByteAt,
  Longpole.firstTokenAt,
  Longpole.firstTokenOutAt,
  Longpole.firstReasoningAt,
  Longpole.firstAnswerAt,
  Longpole.lastTokenAt,
  Longpole.gapMax,
  Longpole.partTcp,
  Longpole.partTls,
  Longpole.sidecarRequestSeconds,
  Longpole.sidecarResponseSeconds,
  GenAi.responseTimeToFirstChunk,
])
const ENGINE_SECONDS = 'gen_ai.latency.'
/** Buckets of the gap histogram to the octave. */
const BUCKETS = 8

/** The span as it is told when `speed` virtual seconds pass in one; its own start and end are squeezed by the clock. */
export function squeeze(span: SimSpan, speed: number): SimSpan {
  if (speed === 1) return span
  const attributes: SpanAttributes = { ...span.attributes }
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'number' && (SECONDS.has(key) || key.startsWith(ENGINE_SECONDS))) attributes[key] = value / speed
  }
  const histogram = attributes[Longpole.gapHistogram]
  if (Array.isArray(histogram)) {
    const shift = Math.round(BUCKETS * Math.log2(speed))
    attributes[Longpole.gapHistogram] = histogram.map((entry) => {
      const [index, count] = entry.split(':')
      return `${Number(index) - shift}:${count}`
    })
  }
  return { ...span, attributes }
}
