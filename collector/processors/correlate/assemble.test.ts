import type { Observation } from '@longpole/model/observation'
import type { PhaseDuration, PhaseId } from '@longpole/model/phase'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AssembleContext, assembleRecord } from './assemble.ts'
import { joinRequests } from './join.ts'

const context: AssembleContext = { offsets: { offset: () => null }, streamHeaders: () => 'D', weightOf: () => 1 }
const T0 = 1_790_000_000_000_000_000n
const TRACE = 'a'.repeat(32)
const at = (seconds: number, clock = 0) => T0 + BigInt(Math.round((seconds + clock) * 1e9))

/** What really happened, in seconds, from which each vantage sees its part on its own clock. */
interface Truth {
  connect: number
  upload: number
  toSidecar: number
  sidecarIn: number
  toEngine: number
  tokenize: number
  queue: number
  prefill: number
  emit: number
  fromEngine: number
  sidecarOut: number
  fromSidecar: number
  decode: number
  drain: number
}
const calm: Truth = {
  connect: 0.002,
  upload: 0.001,
  toSidecar: 0.003,
  sidecarIn: 0.0005,
  toEngine: 0.001,
  tokenize: 0.006,
  queue: 0.05,
  prefill: 0.1,
  emit: 0.002,
  fromEngine: 0.001,
  sidecarOut: 0.0002,
  fromSidecar: 0.003,
  decode: 0.8,
  drain: 0.004,
}

const phase = (id: PhaseId, seconds: number, exactness: PhaseDuration['exactness'] = 'measured'): PhaseDuration => ({
  phase: id,
  seconds,
  source: 'test',
  exactness,
})

function observe(truth: Truth, skew = { sidecar: 0, engine: 0 }, consume = 0): Observation[] {
  const sent = truth.connect + truth.upload
  const received = sent + truth.toSidecar
  const forwarded = received + truth.sidecarIn
  const arrived = forwarded + truth.toEngine
  const headers = arrived + truth.tokenize + truth.fromEngine
  const firstInCore = arrived + truth.tokenize + truth.queue + truth.prefill
  const firstBack = firstInCore + truth.emit + truth.fromEngine
  const firstOut = firstBack + truth.sidecarOut
  const seen = firstOut + truth.fromSidecar
  const end = seen + truth.decode + truth.drain
  const base = { overlays: [], requestIds: [], columns: {} }
  const request: Observation = {
    ...base,
    vantage: 'client',
    role: 'request',
    traceId: TRACE,
    spanId: 'c1',
    parentSpanId: '',
    spanIds: ['c1'],
    startUnixNano: at(0),
    endUnixNano: at(end),
    clock: 'client',
    boundaries: { firstToken: at(seen), lastToken: at(seen + truth.decode) },
    phases: consume > 0 ? [phase('client.consume', consume)] : [],
    columns: { model: 'm', output_tokens: 9, outcome: 'ok' },
  }
  const attempt: Observation = {
    ...request,
    role: 'attempt',
    spanId: 'c2',
    parentSpanId: 'c1',
    spanIds: ['c2'],
    boundaries: { ...request.boundaries, sent: at(sent) },
    phases: [phase('client.connect', truth.connect), phase('client.upload', truth.upload)],
  }
  const sidecar: Observation = {
    ...base,
    vantage: 'sidecar',
    role: 'attempt',
    traceId: TRACE,
    spanId: 's1',
    parentSpanId: 'c2',
    spanIds: ['s1'],
    startUnixNano: at(received, skew.sidecar),
    endUnixNano: at(end - truth.fromSidecar, skew.sidecar),
    clock: 'sidecar',
    boundaries: {
      received: at(received, skew.sidecar),
      sent: at(forwarded, skew.sidecar),
      headers: at(headers, skew.sidecar),
      firstToken: at(firstBack, skew.sidecar),
      firstTokenOut: at(firstOut, skew.sidecar),
      lastToken: at(firstBack + truth.decode, skew.sidecar),
    },
    phases: [phase('sidecar', truth.sidecarIn + truth.sidecarOut)],
    columns: { replica: 'r' },
  }
  const engine: Observation = {
    ...base,
    vantage: 'engine',
    role: 'attempt',
    traceId: TRACE,
    spanId: 'e1',
    parentSpanId: 's1',
    spanIds: ['e1'],
    startUnixNano: at(arrived, skew.engine),
    endUnixNano: at(firstInCore + truth.decode + 0.003, skew.engine),
    clock: 'engine',
    boundaries: {
      received: at(arrived, skew.engine),
      firstToken: at(firstInCore, skew.engine),
      lastToken: at(firstInCore + truth.decode, skew.engine),
    },
    phases: [
      phase('engine.tokenize', truth.tokenize, 'upper_bound'),
      phase('engine.queue', truth.queue),
      phase('engine.prefill', truth.prefill),
      phase('engine.decode', truth.decode),
    ],
    columns: { engine: 'vllm', prompt_tokens: 100, output_tokens: 9 },
  }
  return [request, attempt, sidecar, engine]
}

function assemble(observations: Observation[]) {
  const parts = joinRequests(observations, () => new Map())
  expect(parts).toHaveLength(1)
  return assembleRecord(parts[0] as (typeof parts)[0], context).record
}
type Record = ReturnType<typeof assemble>

const secondsOf = (record: Record, ...ids: PhaseId[]) =>
  record.phases.filter((entry) => ids.includes(entry.phase)).reduce((sum, entry) => sum + entry.seconds, 0)
const total = (record: Record) => record.phases.reduce((sum, entry) => sum + entry.seconds, 0)

describe('a request seen by client, sidecar and engine', () => {
  test('has phases that add up to what the user waited, with nothing unattributed', () => {
    const record = assemble(observe(calm))
    expect(record.joined).toEqual(['client', 'sidecar', 'engine'])
    expect(record.version).toBe(4)
    expect(total(record)).toBeCloseTo(record.e2e as number, 9)
    expect(secondsOf(record, 'unattributed')).toBeLessThan(1e-6)
    expect(secondsOf(record, 'engine.queue')).toBeCloseTo(calm.queue, 9)
    expect(secondsOf(record, 'engine.prefill')).toBeCloseTo(calm.prefill, 9)
    expect(secondsOf(record, 'engine.decode')).toBeCloseTo(calm.decode, 9)
    expect(secondsOf(record, 'sidecar')).toBeCloseTo(calm.sidecarIn + calm.sidecarOut, 9)
    expect(secondsOf(record, 'stream.drain')).toBeCloseTo(calm.drain, 6)
    expect(record.ttft).toBeCloseTo((record.e2e as number) - calm.decode - calm.drain, 9)
    expect(record.tpot).toBeCloseTo(calm.decode / 8, 9)
  })

  const NETWORK: PhaseId[] = ['client.upload', 'stream.network']
  const hops: [keyof Truth, PhaseId[]][] = [
    ['connect', ['client.connect']],
    ['toSidecar', NETWORK],
    ['fromSidecar', NETWORK],
    ['toEngine', NETWORK],
    ['fromEngine', NETWORK],
    ['sidecarIn', ['sidecar']],
    ['sidecarOut', ['sidecar']],
    ['queue', ['engine.queue']],
    ['prefill', ['engine.prefill']],
    ['decode', ['engine.decode']],
    ['drain', ['stream.drain']],
  ]
  test.each(hops)('200 ms more at %s land there and nowhere else', (hop, phases) => {
    const before = assemble(observe(calm))
    const after = assemble(observe({ ...calm, [hop]: calm[hop] + 0.2 }))
    expect(secondsOf(after, ...phases) - secondsOf(before, ...phases)).toBeCloseTo(0.2, 6)
    expect((after.e2e as number) - (before.e2e as number)).toBeCloseTo(0.2, 6)
    const others = after.phases.filter((entry) => !phases.includes(entry.phase))
    for (const { phase: id, seconds } of others) expect(Math.abs(seconds - secondsOf(before, id))).toBeLessThan(0.002)
  })

  test('the wait for the running step is admit, not tokenize, by the time of the response headers', () => {
    const [request, attempt, sidecar, engine] = observe({ ...calm, tokenize: 0.88 }) as [Observation, Observation, Observation, Observation]
    sidecar.boundaries.headers = (sidecar.boundaries.sent as bigint) + 8_000_000n
    const record = assemble([request, attempt, sidecar, engine])
    expect(secondsOf(record, 'engine.tokenize')).toBeLessThan(0.01)
    expect(secondsOf(record, 'engine.admit')).toBeGreaterThan(0.86)
  })

  test('time that a consumer sleeps is the consumer, only as far as it made the request longer', () => {
    const truth = { ...calm, drain: calm.drain + 0.2 }
    expect(secondsOf(assemble(observe(truth, undefined, 0.2)), 'client.consume')).toBeCloseTo(0.2, 6)
    const hidden = assemble(observe(calm, undefined, 5))
    expect(secondsOf(hidden, 'client.consume')).toBeLessThan(0.01)
    expect(total(hidden)).toBeCloseTo(hidden.e2e as number, 9)
  })

  test('time that a consumer sleeps after the last byte is the consumer, and not left unattributed', () => {
    const slow = observe(calm, undefined, 0.2).map((entry) =>
      entry.role === 'request' ? { ...entry, endUnixNano: entry.endUnixNano + 200_000_000n } : entry,
    )
    const record = assemble(slow)
    expect(secondsOf(record, 'client.consume')).toBeCloseTo(0.2, 2)
    expect(secondsOf(record, 'unattributed')).toBeLessThan(0.001)
    expect(total(record)).toBeCloseTo(record.e2e as number, 9)
  })

  test.each([0.25, -37, 3600])('a clock that is off by %s s changes no duration', (offset) => {
    const plain = assemble(observe(calm))
    for (const skew of [
      { sidecar: 0, engine: offset },
      { sidecar: offset, engine: 0 },
    ]) {
      const shifted = assemble(observe(calm, skew))
      for (const { phase: id, seconds } of shifted.phases) {
        expect(seconds).toBeGreaterThanOrEqual(0)
        expect(seconds).toBeCloseTo(secondsOf(plain, id), 6)
      }
    }
  })

  test('is the same record in any order of observations', () => {
    const plain = assemble(observe(calm))
    fc.assert(
      fc.property(fc.shuffledSubarray(observe(calm), { minLength: 4, maxLength: 4 }), (shuffled) => {
        expect(assemble(shuffled)).toEqual(plain)
      }),
      { numRuns: 24 },
    )
  })
})

test('whatever is seen of whatever request, phases are never negative and add up', () => {
  const seconds = fc.double({ min: 0, max: 5, noNaN: true })
  const truth = fc.record(Object.fromEntries(Object.keys(calm).map((key) => [key, seconds])) as { [K in keyof Truth]: typeof seconds })
  const skew = fc.record({
    sidecar: fc.double({ min: -100, max: 100, noNaN: true }),
    engine: fc.double({ min: -100, max: 100, noNaN: true }),
  })
  const flaws = fc.record({
    keep: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
    isStream: fc.boolean(),
    noise: fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 4, maxLength: 4 }),
  })
  fc.assert(
    fc.property(truth, skew, flaws, (what, clocks, { keep, isStream, noise }) => {
      const all = observe(what, clocks, noise[0] && noise[0] > 0 ? noise[0] : 0)
      const observations = keep.map((index) => {
        const entry = all[index] as Observation
        const boundaries = isStream ? entry.boundaries : { received: entry.boundaries.received }
        const phases = entry.phases.map((one) => ({ ...one, seconds: Math.max(0, one.seconds + (noise[index] ?? 0)) }))
        return { ...entry, boundaries, phases, traceId: TRACE, requestIds: ['same'] }
      })
      for (const part of joinRequests(observations, () => new Map())) {
        const { record } = assembleRecord(part, context)
        expect(total(record)).toBeCloseTo(record.e2e as number, 6)
        for (const entry of record.phases) expect(entry.seconds).toBeGreaterThanOrEqual(0)
        const measured = record.phases.filter((entry) => entry.exactness === 'measured')
        for (const entry of measured) expect(entry.seconds).toBeLessThanOrEqual((record.e2e as number) + 1e-6)
      }
    }),
    { numRuns: 500 },
  )
})

describe('attempts', () => {
  test('of one logical request are its attempts, with the backoff between them', () => {
    const [request, attempt, sidecar, engine] = observe(calm) as [Observation, Observation, Observation, Observation]
    const failed: Observation = {
      ...attempt,
      spanId: 'c0',
      spanIds: ['c0'],
      startUnixNano: at(-1),
      endUnixNano: at(-0.6),
      boundaries: {},
      phases: [phase('client.connect', 0.1)],
      columns: { outcome: 'error', error_class: 'http_503', http_status: 503 },
    }
    const record = assemble([{ ...request, startUnixNano: at(-1) }, failed, attempt, sidecar, engine])
    expect(record.attempts).toBe(2)
    expect(record.attempt_list.map(({ outcome }) => outcome)).toEqual(['error', 'ok'])
    expect(secondsOf(record, 'client.backoff')).toBeCloseTo(0.6, 6)
    expect(secondsOf(record, 'client.connect')).toBeCloseTo(0.1 + calm.connect, 6)
    expect(secondsOf(record, 'unattributed')).toBeCloseTo(0.3, 6)
    expect(total(record)).toBeCloseTo(record.e2e as number, 9)
    expect(record.outcome).toBe('ok')
  })
})

describe('joining', () => {
  test('two requests of one trace stay two', () => {
    const first = observe(calm)
    const second = observe(calm).map((entry) => {
      const rename = (id: string) => (id === '' ? '' : `x${id}`)
      return { ...entry, spanId: rename(entry.spanId), parentSpanId: rename(entry.parentSpanId), spanIds: entry.spanIds.map(rename) }
    })
    expect(joinRequests([...first, ...second], () => new Map()).map(({ observations }) => observations.length)).toEqual([4, 4])
  })

  test('halves of a broken trace join by request id, and requests that reuse an id stay apart', () => {
    const [request, , , engine] = observe(calm) as [Observation, Observation, Observation, Observation]
    const other = { ...engine, traceId: 'b'.repeat(32), requestIds: ['id-1'] }
    const asked = { ...request, requestIds: ['id-1'] }
    expect(joinRequests([asked, other], () => new Map())).toHaveLength(1)
    const again = { ...asked, traceId: 'c'.repeat(32), startUnixNano: at(50), endUnixNano: at(51) }
    const parts = joinRequests([asked, again, other], () => new Map())
    expect(parts).toHaveLength(2)
    expect(parts.find(({ observations }) => observations.includes(other))?.observations).toContain(asked)
  })

  test("spans that are each other's parents end", () => {
    const [request, attempt] = observe(calm) as [Observation, Observation]
    const parts = joinRequests(
      [
        { ...request, parentSpanId: 'c2' },
        { ...attempt, parentSpanId: 'c1' },
      ],
      () => new Map(),
    )
    expect(parts).toHaveLength(1)
  })
})

test('a disaggregated request is one record with both servers as hops', () => {
  const [request, , , engine] = observe(calm) as [Observation, Observation, Observation, Observation]
  const prefill: Observation = {
    ...engine,
    role: 'hop',
    spanId: 'p1',
    spanIds: ['p1'],
    parentSpanId: 'c1',
    boundaries: { received: at(0.01) },
    phases: [phase('engine.queue', calm.queue), phase('engine.prefill', calm.prefill)],
    columns: { pool: 'prefill', replica: 'p', engine: 'sglang' },
  }
  const decode: Observation = {
    ...engine,
    role: 'hop',
    spanId: 'd1',
    spanIds: ['d1'],
    parentSpanId: 'c1',
    phases: [phase('kv.transfer', 0.004, 'upper_bound'), phase('engine.decode', calm.decode)],
    columns: { pool: 'decode', replica: 'd', engine: 'sglang' },
  }
  const record = assemble([request, prefill, decode])
  expect(record.hops.map(({ replica, pool }) => [replica, pool])).toEqual([
    ['p', 'prefill'],
    ['d', 'decode'],
  ])
  expect(record).toMatchObject({ replica: 'd', prefill_replica: 'p', decode_replica: 'd', pool: 'both' })
  expect(secondsOf(record, 'kv.transfer')).toBeCloseTo(0.004, 9)
  expect(secondsOf(record, 'engine.prefill')).toBeCloseTo(calm.prefill, 9)
  expect(total(record)).toBeCloseTo(record.e2e as number, 9)
})
