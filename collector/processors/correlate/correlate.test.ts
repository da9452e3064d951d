import { createManualClock } from '@longpole/model/clock'
import { Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import type { Attributes, Span } from '@longpole/model/span'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adapterOf } from '../../../src/engines/index.ts'
import { observeSpans, requestIdsOf } from '../../../src/engines/observe.ts'
import { type Correlator, createCorrelator, type ReceivedSpan, type SettledRequest, type WrittenRecord } from './correlate.ts'

const T0 = 1_790_000_000_000_000_000n
const SECOND = 1_000_000_000n

function span(traceId: string, spanId: string, parentSpanId: string, from: number, to: number, overrides: Partial<Span> = {}): Span {
  return {
    traceId: traceId.padStart(32, '0'),
    spanId: spanId.padStart(16, '0'),
    parentSpanId: parentSpanId === '' ? '' : parentSpanId.padStart(16, '0'),
    traceState: '',
    flags: 1,
    name: 'x',
    kind: 2,
    startUnixNano: T0 + BigInt(Math.round(from * 1e9)),
    endUnixNano: T0 + BigInt(Math.round(to * 1e9)),
    attributes: {},
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    resource: {},
    scopeName: '',
    scopeVersion: '',
    ...overrides,
  }
}

const sdk = (attributes: Attributes) => ({ scopeName: ScopeName.sdk, kind: 3, attributes, resource: { 'service.name': 'app' } })
const sidecar = (attributes: Attributes) => ({
  scopeName: ScopeName.sidecar,
  attributes,
  resource: { 'service.name': 'sidecar', [Longpole.replica]: 'r1' },
})

/** A streamed request of 1 s: client, attempt, sidecar, vLLM. */
function request(trace: string, at = 0, requestId = `id-${trace}`): { client: Span; attempt: Span; sidecar: Span; engine: Span } {
  const common = { [Longpole.requestId]: requestId, [Longpole.outcome]: 'ok' }
  return {
    client: span(
      trace,
      'c',
      '',
      at,
      at + 1,
      sdk({
        ...common,
        [Longpole.role]: 'request',
        [Longpole.firstTokenAt]: 0.4,
        [Longpole.lastTokenAt]: 0.99,
        'gen_ai.request.model': 'm',
      }),
    ),
    attempt: span(
      trace,
      'a',
      'c',
      at,
      at + 1,
      sdk({ ...common, [Longpole.role]: 'attempt', [Longpole.firstTokenAt]: 0.4, [Longpole.lastTokenAt]: 0.99 }),
    ),
    sidecar: span(
      trace,
      '5',
      'a',
      at + 0.01,
      at + 0.99,
      sidecar({
        ...common,
        [Longpole.role]: 'attempt',
        [Longpole.receivedAt]: 0,
        [Longpole.sentAt]: 0.001,
        [Longpole.firstTokenAt]: 0.38,
        [Longpole.firstTokenOutAt]: 0.381,
        [Longpole.lastTokenAt]: 0.97,
      }),
    ),
    engine: span(trace, 'e', '5', at + 0.02, at + 0.98, {
      name: 'llm_request',
      scopeName: 'vllm.tracing.otel',
      attributes: {
        'gen_ai.request.id': `chatcmpl-${requestId}`,
        'gen_ai.latency.time_to_first_token': 0.35,
        'gen_ai.latency.time_in_queue': 0.1,
        'gen_ai.latency.time_in_model_prefill': 0.2,
        'gen_ai.latency.time_in_model_decode': 0.58,
        'gen_ai.usage.prompt_tokens': 50,
        'gen_ai.usage.completion_tokens': 11,
      },
    }),
  }
}

interface Bench {
  clock: ReturnType<typeof createManualClock>
  correlator: Correlator
  settled: SettledRequest[]
  stored: ReceivedSpan[]
  receive(...spans: Span[]): void
  /** Lets time pass, looking four times a second. */
  pass(seconds: number): Promise<void>
  /** A new hub on the same store. */
  restart(): Bench
}

function bench(memoryBytes = 10_000_000, before?: Bench, maxTraces = 1_000): Bench {
  const clock = before?.clock ?? createManualClock(T0)
  const settled: SettledRequest[] = []
  const stored: ReceivedSpan[] = before?.stored ?? []
  const correlator = createCorrelator({
    clock,
    observe: observeSpans,
    requestIds: requestIdsOf,
    streamHeaders: (engine) => adapterOf(engine).response.streamHeaders,
    settle: (request) => settled.push(request),
    spansOfTraces: async (traceIds) => stored.filter((entry) => traceIds.includes(entry.span.traceId)).map((entry) => entry.span),
    recordsOfTraces: async (traceIds) =>
      traceIds.flatMap((traceId) =>
        newestOf(settled.map(({ record }) => record).filter((record) => record.trace_id === traceId)).map((written) => ({
          traceId,
          written,
        })),
      ),
    onNegativeResidual: () => {},
    onTrouble: (message) => {
      throw new Error(message)
    },
    afterSeconds: 5,
    withoutClientSeconds: 30,
    amendSeconds: 900,
    memoryBytes,
    maxTraces,
  })
  const self: Bench = {
    clock,
    correlator,
    settled,
    stored,
    receive(...spans) {
      const received = spans.map((entry) => ({ span: entry, receivedUnixNano: clock.unixNano() }))
      stored.push(...received)
      correlator.add(received)
    },
    async pass(seconds) {
      for (let step = 0; step < seconds * 4; step++) {
        clock.advance(250)
        await correlator.tick()
      }
    },
    restart: () => bench(memoryBytes, self, maxTraces),
  }
  return self
}

/** As the store gives them: one row a record, its newest version. */
function newestOf(versions: readonly SettledRequest['record'][]): WrittenRecord[] {
  const newest = new Map(versions.map((record) => [record.record_id, record]))
  return [...newest.values()].map((record) => ({
    recordId: record.record_id,
    receivedUnixNano: record.received_unix_ns,
    version: record.version,
  }))
}

const records = (run: Bench) => run.settled.map(({ record }) => record)

describe('closing', () => {
  test('comes 5 s after the outermost span, once', async () => {
    const run = bench()
    const { client, attempt, sidecar: side, engine } = request('1')
    run.receive(engine, side, attempt, client)
    await run.pass(4.5)
    expect(run.settled).toHaveLength(0)
    await run.pass(1)
    expect(run.settled.map(({ event }) => event)).toEqual(['settled'])
    expect(records(run)[0]).toMatchObject({
      joined: ['client', 'sidecar', 'engine'],
      version: 4,
      outcome: 'ok',
      vantage: 'client',
      replica: 'r1',
      prompt_tokens: 50,
    })
    await run.pass(60)
    expect(run.settled).toHaveLength(1)
    expect(run.correlator.oldestUnsettledUnixNano()).toBeNull()
  })

  test('without a client comes after 30 s', async () => {
    const run = bench()
    run.receive(request('1').engine)
    await run.pass(29)
    expect(run.settled).toHaveLength(0)
    await run.pass(2)
    expect(records(run)[0]).toMatchObject({ vantage: 'engine', joined: ['engine'] })
  })

  test('is amended by a part that comes later, with the same identity and a higher version', async () => {
    const run = bench()
    const { client, attempt, sidecar: side, engine } = request('1')
    run.receive(client, attempt, side)
    await run.pass(10)
    run.receive(engine)
    await run.pass(3)
    const [first, second] = records(run)
    expect(run.settled.map(({ event }) => event)).toEqual(['settled', 'amended'])
    expect(second).toMatchObject({
      record_id: first?.record_id,
      received_unix_ns: first?.received_unix_ns,
      version: 4,
      joined: ['client', 'sidecar', 'engine'],
    })
    expect(first?.version).toBe(3)
  })

  test('of an engine alone keeps its identity when the client comes after all', async () => {
    const run = bench()
    const { client, attempt, sidecar: side, engine } = request('1')
    run.receive(engine)
    await run.pass(40)
    run.receive(client, attempt, side)
    await run.pass(10)
    const [first, second] = records(run)
    expect(second?.record_id).toBe(first?.record_id)
    expect(second).toMatchObject({ vantage: 'client', version: 4 })
  })

  test('two records that turn out to be one become one, and the other is taken away', async () => {
    const run = bench()
    const { client, sidecar: side, engine } = request('1')
    const lone = { ...engine, attributes: { ...engine.attributes, 'gen_ai.request.id': 'other' } }
    const noId = { ...client, attributes: { ...client.attributes, [Longpole.requestId]: '' } }
    const second = { ...span('1', 'd', '', 0, 1, sdk({ [Longpole.role]: 'request' })) }
    run.receive(lone)
    await run.pass(40)
    run.receive(noId, second)
    await run.pass(10)
    expect(new Set(records(run).map(({ record_id }) => record_id)).size).toBe(3)
    run.receive({ ...side, parentSpanId: noId.spanId })
    await run.pass(40)
    const last = run.settled.at(-1)
    expect(last?.superseded).toHaveLength(1)
    expect(last?.record.joined).toEqual(['client', 'sidecar', 'engine'])
  })
})

describe('traces', () => {
  test('with many requests give one record each', async () => {
    const run = bench()
    const agent = span('1', 'f00', '', 0, 30, { name: 'agent' })
    const calls = [0, 5, 10].map((at, index) => {
      const parts = request('1', at, `call-${index}`)
      const rename = (id: string) => (id === '' ? 'f00'.padStart(16, '0') : `${index}${id.slice(1)}`)
      return Object.values(parts).map((part) => ({ ...part, spanId: rename(part.spanId), parentSpanId: rename(part.parentSpanId) }))
    })
    run.receive(agent, ...calls.flat())
    await run.pass(8)
    expect(records(run)).toHaveLength(3)
    for (const record of records(run)) expect(record).toMatchObject({ version: 4, joined: ['client', 'sidecar', 'engine'] })
  })

  test('that are broken join by request id, whichever half comes first', async () => {
    for (const order of [0, 1]) {
      const run = bench()
      const { client, attempt } = request('1', 0, 'shared')
      const { engine } = request('2', 0, 'shared')
      const halves = [[client, attempt], [{ ...engine, parentSpanId: '' }]]
      run.receive(...(halves[order] as Span[]))
      await run.pass(2)
      run.receive(...(halves[1 - order] as Span[]))
      await run.pass(60)
      expect(records(run)).toHaveLength(1)
      expect(records(run)[0]).toMatchObject({ joined: ['client', 'engine'], trace_id: client.traceId, version: 3 })
    }
  })

  test('without any request give no record and are forgotten', async () => {
    const run = bench()
    run.receive(span('1', '1', '', 0, 1), span('1', '2', '1', 0, 1))
    await run.pass(2_000)
    expect(run.settled).toHaveLength(0)
    expect(run.correlator.counts()).toEqual({ unsettled: 0, traces: 0, bytes: 0 })
  })

  test('the sampling threshold of the tracestate is the weight, whatever the flag says', async () => {
    const run = bench()
    const { client, attempt } = request('1')
    run.receive({ ...client, traceState: 'ot=th:c', flags: 0 }, attempt)
    await run.pass(6)
    expect(records(run)[0]?.weight).toBe(4)
  })
})

test('any order, any duplicates, any pauses: the same record in the end', async () => {
  const all = Object.values(request('1'))
  const plain = bench()
  plain.receive(...all)
  await plain.pass(10)
  const comparable = ({ received_unix_ns: _, ...record }: SettledRequest['record']) => record
  const expected = comparable((plain.settled.at(-1) as SettledRequest).record)
  const deliveries = fc.array(fc.record({ index: fc.nat(3), pause: fc.constantFrom(0, 0, 1, 7, 40) }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 }), deliveries, async (order, more) => {
      const run = bench()
      for (const { index, pause } of [...more, ...order.map((index) => ({ index, pause: 0 }))]) {
        run.receive(all[index] as Span)
        await run.pass(pause)
      }
      await run.pass(60)
      const last = run.settled.filter(({ record }) => record.version === 4).at(-1) as SettledRequest
      const { record_id: id, ...rest } = comparable(last.record)
      const { record_id: _, ...wanted } = expected
      expect(rest).toEqual(wanted)
      const gone = new Set(run.settled.flatMap(({ superseded }) => superseded.map(({ recordId }) => recordId)))
      expect([...new Set(records(run).map((record) => record.record_id))].filter((known) => !gone.has(known))).toEqual([id])
      expect(run.settled.filter(({ event }) => event === 'settled').length).toBe(1 + gone.size)
    }),
    { numRuns: 60 },
  )
})

describe('restart', () => {
  test('writes what was unsettled and nothing twice', async () => {
    const run = bench()
    run.receive(...Object.values(request('1')))
    await run.pass(10)
    const written = run.settled[0] as SettledRequest
    run.receive(...Object.values(request('2', 10)))
    await run.pass(2)
    const again = run.restart()
    again.correlator.restore(written.record.trace_id, {
      recordId: written.record.record_id,
      receivedUnixNano: written.record.received_unix_ns,
      version: written.record.version,
    })
    again.correlator.add(run.stored)
    await again.pass(10)
    expect(records(again).map(({ trace_id }) => trace_id)).toEqual(['2'.padStart(32, '0')])
  })

  test('amends a record of before it, reading back the spans it no longer holds', async () => {
    const run = bench()
    const { client, attempt, sidecar: side, engine } = request('1')
    run.receive(client, attempt, side)
    await run.pass(10)
    const { record } = run.settled[0] as SettledRequest
    const again = run.restart()
    again.correlator.restore(record.trace_id, {
      recordId: record.record_id,
      receivedUnixNano: record.received_unix_ns,
      version: record.version,
    })
    again.receive(engine)
    await again.pass(40)
    expect(again.settled.map(({ event }) => event)).toEqual(['amended'])
    expect(records(again)[0]).toMatchObject({ record_id: record.record_id, received_unix_ns: record.received_unix_ns, version: 4 })
  })

  test('a request that was open at the time closes once, in the place of its open row', async () => {
    const run = bench()
    const { client, attempt, sidecar: side, engine } = request('1')
    const open = { recordId: `${side.traceId}-${side.spanId}`, receivedUnixNano: T0 - 50n * SECOND, version: 0 }
    run.correlator.restore(side.traceId, open)
    run.receive(client, attempt, side, engine)
    await run.pass(10)
    expect(run.settled.map(({ event, record }) => [event, record.record_id, record.received_unix_ns])).toEqual([
      ['settled', open.recordId, open.receivedUnixNano],
    ])
  })
})

describe('limits', () => {
  test('memory is bounded: what is over budget is written early and amended later', async () => {
    const run = bench(200_000)
    for (let index = 0; index < 300; index++) run.receive(...Object.values(request(`${index.toString(16)}00`)))
    await run.pass(0.25)
    expect(run.correlator.counts().bytes).toBeLessThan(250_000)
    await run.pass(20)
    const byId = new Map(records(run).map((record) => [record.record_id, record.version]))
    expect(byId.size).toBe(300)
    expect([...byId.values()].every((version) => version === 4)).toBe(true)
  })

  test('more traces than may be remembered within the time for amendments: a late span still amends its record', async () => {
    const run = bench(undefined, undefined, 20)
    const all = Array.from({ length: 50 }, (_, index) => request(`${(index + 1).toString(16)}00`))
    for (const { client, attempt, sidecar: side } of all) {
      run.receive(client, attempt, side)
      await run.pass(0.25)
    }
    await run.pass(10)
    for (const { engine } of all) run.receive(engine)
    await run.pass(60)
    const byId = new Map(records(run).map((record) => [record.record_id, record]))
    expect(byId.size).toBe(50)
    expect([...byId.values()].every(({ version, vantage }) => version === 4 && vantage === 'client')).toBe(true)
    expect(run.settled.filter(({ event }) => event === 'settled')).toHaveLength(50)
  })

  test('a trace of a hundred thousand spans costs no more than its cap', async () => {
    const run = bench()
    for (let index = 1; index <= 100_000; index++)
      run.correlator.add([{ span: span('1', index.toString(16), '', 0, 1), receivedUnixNano: T0 }])
    expect(run.correlator.counts().bytes).toBeLessThan(3_000_000)
    await run.pass(1)
  })
})
