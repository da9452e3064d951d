// What happens to telemetry on its way: spans are lost, whole traces are sampled away, some come late. A pure function of the seed, so
// that the same run is disturbed in the same way.
import { hashText } from '../core/random.ts'
import type { SimSpan } from './span.ts'

export interface Disturbance {
  /** Share of spans that never arrive. */
  lost: number
  /** Share of traces that are kept; their weight is told in the tracestate of the survivors. */
  sampled: number
  /** Share of spans that come `lateSeconds` after they ended. */
  late: number
  lateSeconds: number
}

export const UNDISTURBED: Disturbance = { lost: 0, sampled: 1, late: 0, lateSeconds: 120 }

export interface Arrived {
  span: SimSpan
  /** Virtual second at which it reaches the hub. */
  at: number
}

/** Seconds from a span's end until its sender's batch leaves. */
const BATCH_SECONDS = 1

export function disturb(spans: readonly SimSpan[], { lost, sampled, late, lateSeconds }: Disturbance, seed: number): Arrived[] {
  const draw = (text: string, purpose: string) => (hashText(seed, `${purpose} ${text}`) + 0.5) / 4294967296
  const arrived: Arrived[] = []
  for (const span of spans) {
    if (draw(span.traceId, 'sampled') >= sampled || draw(span.spanId, 'lost') < lost) continue
    const delay = draw(span.spanId, 'late') < late ? lateSeconds : BATCH_SECONDS * draw(span.spanId, 'batch')
    arrived.push({ span: sampled < 1 ? { ...span, traceState: `ot=th:${thresholdOf(sampled)}` } : span, at: span.end + delay })
  }
  return arrived.sort((a, b) => a.at - b.at)
}

/** OpenTelemetry's rejection threshold: 56 bits of 1 − probability, trailing zeros left out. */
function thresholdOf(sampled: number): string {
  const bits = BigInt(Math.round((1 - sampled) * 2 ** 56))
  return bits.toString(16).padStart(14, '0').replace(/0+$/, '') || '0'
}
