import { createManualClock } from '@longpole/model/clock'
import { Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import type { Attributes, Span } from '@longpole/model/span'
import { expect, test } from 'vitest'
import { adapterOf } from '../../src/engines/index.ts'
import { observeSpans, requestIdsOf } from '../../src/engines/observe.ts'
import { createCorrelator, type SettledRequest } from '../processors/correlate/correlate.ts'
import { spansOfRecord } from './record-spans.ts'

const T0 = 1_790_000_000_000_000_000n
const TRACE = 'a'.repeat(32)
const at = (seconds: number) => T0 + BigInt(Math.round(seconds * 1e9))

function span(spanId: string, parentSpanId: string, from: number, to: number, scopeName: string, attributes: Attributes, name = 'x'): Span {
  const pad = (id: string) => (id === '' ? '' : id.padStart(16, '0'))
  return {
    traceId: TRACE,
    spanId: pad(spanId),
    parentSpanId: pad(parentSpanId),
    traceState: '',
    flags: 1,
    name,
    kind: scopeName === ScopeName.sdk ? 3 : 2,
    startUnixNano: at(from),
    endUnixNano: at(to),
    attributes,
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    resource: { 'service.name': scopeName },
    scopeName,
    scopeVersion: '',
  }
}
const phase = (id: string) => ({
  [Longpole.role]: 'phase',
  [Longpole.phase]: id,
  [Longpole.source]: 'test',
  [Longpole.exactness]: 'measured',
})

const SPANS = [
  span('1', '', 0, 1, ScopeName.sdk, { [Longpole.role]: 'request', [Longpole.firstTokenAt]: 0.4, [Longpole.lastTokenAt]: 0.98 }),
  span('2', '1', 0, 1, ScopeName.sdk, { [Longpole.role]: 'attempt', [Longpole.firstTokenAt]: 0.4, [Longpole.lastTokenAt]: 0.98 }),
  span('3', '2', 0, 0.003, ScopeName.sdk, phase('client.connect')),
  span('4', '2', 0.003, 0.004, ScopeName.sdk, phase('client.upload')),
  span('5', '2', 0.004, 0.4, ScopeName.sdk, { [Longpole.role]: 'wait' }, 'first_token.wait'),
  span('6', '2', 0.01, 0.99, ScopeName.sidecar, {
    [Longpole.role]: 'attempt',
    [Longpole.receivedAt]: 0,
    [Longpole.sentAt]: 0.001,
    [Longpole.firstTokenAt]: 0.38,
    [Longpole.firstTokenOutAt]: 0.381,
    [Longpole.lastTokenAt]: 0.96,
  }),
  span('7', '6', 0.01, 0.012, ScopeName.sidecar, phase('sidecar')),
  span(
    '8',
    '6',
    0.02,
    0.98,
    'vllm.tracing.otel',
    {
      'gen_ai.latency.time_to_first_token': 0.35,
      'gen_ai.latency.time_in_queue': 0.1,
      'gen_ai.latency.time_in_model_prefill': 0.2,
      'gen_ai.latency.time_in_model_decode': 0.57,
      'gen_ai.usage.prompt_tokens': 100,
      'gen_ai.usage.cached_tokens': 25,
    },
    'llm_request',
  ),
]

async function settle(spans: Span[]): Promise<{ record: SettledRequest['record']; spans: Span[] }> {
  const settled: SettledRequest[] = []
  const correlator = createCorrelator({
    clock: createManualClock(T0),
    observe: observeSpans,
    requestIds: requestIdsOf,
    streamHeaders: (engine) => adapterOf(engine).response.streamHeaders,
    settle: (request) => settled.push(request),
    spansOfTraces: async () => [],
    recordsOfTraces: async () => [],
    onNegativeResidual: () => {},
    onTrouble: () => {},
    afterSeconds: 5,
    withoutClientSeconds: 30,
    amendSeconds: 900,
    memoryBytes: 1e7,
    maxTraces: 100,
  })
  correlator.add(spans.map((entry) => ({ span: entry, receivedUnixNano: T0 })))
  await correlator.flush()
  expect(settled).toHaveLength(1)
  const [request] = settled as [SettledRequest]
  return { record: request.record, spans: request.spans() }
}

test('a settled request is one trace with one child span for each phase, as long as in the record', async () => {
  const { record, spans } = await settle(SPANS)
  const sent = spansOfRecord(record, spans, '1')
  for (const { phase: id, seconds, source, exactness } of record.phases) {
    const own = sent.filter((entry) => entry.attributes[Longpole.phase] === id)
    expect(
      own.map((entry) => Number(entry.endUnixNano - entry.startUnixNano) / 1e9),
      id,
    ).toEqual(id === 'unattributed' && seconds === 0 ? [] : [expect.closeTo(seconds, 8)])
    if (own.length > 0)
      expect(own[0]).toMatchObject({ name: id, attributes: { [Longpole.source]: source, [Longpole.exactness]: exactness } })
  }
  expect(new Set(sent.map((entry) => entry.spanId)).size).toBe(sent.length)
  const ids = new Set(sent.map((entry) => entry.spanId))
  for (const entry of sent) expect(entry.parentSpanId === '' || ids.has(entry.parentSpanId)).toBe(true)
  expect(sent.filter((entry) => entry.parentSpanId === '')).toHaveLength(1)
})

test('spans that senders told are kept, not doubled; what was cut out of an attribute says so', async () => {
  const { record, spans } = await settle(SPANS)
  const sent = spansOfRecord(record, spans, '1')
  const byId = new Map(sent.map((entry) => [entry.spanId, entry]))
  for (const kept of SPANS) expect(byId.has(kept.spanId)).toBe(true)
  const named = (id: string) => sent.find((entry) => entry.attributes[Longpole.phase] === id) as Span
  expect(named('client.connect').attributes[Longpole.synthesized]).toBeUndefined()
  expect(named('engine.queue').attributes[Longpole.synthesized]).toBe(true)
  const parentOf = (id: string) => Number.parseInt(named(id).parentSpanId, 16)
  expect(['client.connect', 'client.upload', 'sidecar', 'engine.queue', 'engine.decode'].map(parentOf)).toEqual([2, 2, 6, 8, 8])
  expect(named('engine.prefill').attributes).toMatchObject({ [Longpole.kvCachedTokens]: 25, [Longpole.kvHitRatio]: 0.25 })
})

test('is the same trace each time it is sent', async () => {
  const { record, spans } = await settle(SPANS)
  const byId = (sent: Span[]) => new Map(sent.map((entry) => [entry.spanId, entry]))
  expect(byId(spansOfRecord(record, [...spans].reverse(), '1'))).toEqual(byId(spansOfRecord(record, spans, '1')))
})
