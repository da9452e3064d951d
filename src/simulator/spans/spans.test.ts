import { Longpole } from '@longpole/model/conventions/attributes'
import { describe, expect, test } from 'vitest'
import type { SimRequest } from '../core/request.ts'
import { Simulation } from '../simulation.ts'
import { disturb, UNDISTURBED } from './disturb.ts'
import { encodeSpans } from './encode.ts'
import { requestSpans } from './request-spans.ts'
import { Senders } from './senders.ts'
import { squeeze } from './squeeze.ts'

const requests: SimRequest[] = []
const simulation = new Simulation({
  seed: 7,
  seconds: 30,
  rate: 20,
  agents: 2,
  startUnixNano: 0n,
  onEnded: (request) => requests.push(request),
})
simulation.run()
const senders = new Senders(7)
const spans = requests.flatMap((request) => requestSpans(request, 7, senders))

describe('spans of a run', () => {
  test('every id is unique, every span ends after it starts, every parent in a trace exists', () => {
    expect(new Set(spans.map(({ traceId, spanId }) => traceId + spanId)).size).toBe(spans.length)
    const known = new Set(spans.map(({ traceId, spanId }) => traceId + spanId))
    for (const span of spans) {
      expect(span.end, span.name).toBeGreaterThanOrEqual(span.start)
      expect(span.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(span.spanId).toMatch(/^[0-9a-f]{16}$/)
      if (span.parentSpanId !== '') expect(known.has(span.traceId + span.parentSpanId), span.name).toBe(true)
    }
  })

  test('every engine sends what it was recorded to send, and OpenTelemetry encodes it', () => {
    const names = new Set(spans.map(({ name }) => name))
    for (const name of [
      'llm_request',
      'http_request',
      'gateway.request',
      'prefill_forward',
      'decode_transferred',
      'client.upload',
      'sidecar',
    ]) {
      expect(names).toContain(name)
    }
    expect(encodeSpans(spans.slice(0, 200), (seconds) => BigInt(Math.round((seconds + 1e6) * 1e9))).length).toBeGreaterThan(10_000)
  })

  test('disturbed: a share is lost, a share of whole traces is kept and says so, late ones come late', () => {
    expect(disturb(spans, UNDISTURBED, 1)).toHaveLength(spans.length)
    expect(disturb(spans, { ...UNDISTURBED, lost: 0.2 }, 1).length / spans.length).toBeCloseTo(0.8, 1)
    const sampled = disturb(spans, { ...UNDISTURBED, sampled: 0.25 }, 1)
    expect(new Set(sampled.map(({ span }) => span.traceId)).size / new Set(spans.map(({ traceId }) => traceId)).size).toBeCloseTo(0.25, 1)
    expect(sampled[0]?.span.traceState).toBe('ot=th:c')
    const late = disturb(spans, { ...UNDISTURBED, late: 0.1 }, 1).filter(({ span, at }) => at - span.end > 100)
    expect(late.length / spans.length).toBeCloseTo(0.1, 1)
  })

  test('squeezed: seconds shrink with time, tokens do not', () => {
    const span = spans.find(({ name, failed }) => name === 'llm_request' && !failed)!
    const faster = squeeze(span, 4)
    expect(faster.attributes['gen_ai.latency.e2e']).toBe((span.attributes['gen_ai.latency.e2e'] as number) / 4)
    expect(faster.attributes['gen_ai.usage.prompt_tokens']).toBe(span.attributes['gen_ai.usage.prompt_tokens'])
    const client = spans.find(({ attributes }) => attributes[Longpole.gapHistogram] !== undefined)!
    const [before, after] = [client, squeeze(client, 2)].map(({ attributes }) =>
      Number((attributes[Longpole.gapHistogram] as string[])[0]?.split(':')[0]),
    )
    expect(before! - after!).toBe(8)
  })
})
