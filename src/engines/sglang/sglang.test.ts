import type { Observation } from '@longpole/model/observation'
import { describe, expect, test } from 'vitest'
import { describeAdapter, observeAll, readLines, readSpans, secondsOfPhase } from '../contract-test.ts'
import { observeSpans } from '../observe.ts'
import { sglang } from './adapter.ts'

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url)
const SPANS = fixture('spans-0.5.23.bin')
const TRUTH = fixture('truth-0.5.23.bin')
const DISAGGREGATED = fixture('pd-0.5.23.bin')

describeAdapter(sglang, [SPANS, TRUTH, DISAGGREGATED])

interface ClientTruth {
  request_id: string
  trace_id: string
  span_id: string
  status: number
  group: string
  response_id: string
  prompt_tokens: number
  output_tokens: number
  cached_tokens?: number
  end_ms: number
  meta_info?: { queue_time?: number; e2e_latency?: number }
}

function sum(observations: readonly Observation[]): number {
  return observations.flatMap(({ phases }) => phases).reduce((total, { seconds }) => total + seconds, 0)
}

describe('unified SGLang 0.5.23 against what its clients saw', () => {
  const truth = readLines<ClientTruth>(fixture('truth-0.5.23.jsonl'))
  const byTraceId = Map.groupBy(observeAll(readSpans(TRUTH)), (observation) => observation.traceId)

  test('one observation a request that was taken, none for a rejected one', () => {
    for (const row of truth) expect(byTraceId.get(row.trace_id)?.length ?? 0).toBe(row.status === 200 ? 1 : 0)
  })

  test('queue is meta_info.queue_time; id, parent and tokens are those of the client', () => {
    let compared = 0
    for (const row of truth.filter(({ status, group }) => status === 200 && group !== 'abort')) {
      const [observation] = byTraceId.get(row.trace_id) as [Observation]
      expect(observation.parentSpanId).toBe(row.span_id)
      if (row.response_id) expect(observation.requestIds).toContain(row.response_id)
      expect(observation.columns).toMatchObject({ prompt_tokens: row.prompt_tokens, output_tokens: row.output_tokens, pool: 'both' })
      if (row.cached_tokens !== undefined) expect(observation.columns.cached_tokens).toBe(row.cached_tokens)
      if (row.meta_info?.queue_time === undefined) continue
      compared++
      expect(secondsOfPhase(observation, 'engine.queue')).toBeCloseTo(row.meta_info.queue_time, 3)
    }
    expect(compared).toBeGreaterThan(0)
  })

  test('what no slice covers is small: the phases add up to the whole of the server', () => {
    for (const observation of [...byTraceId.values()].flat().filter(({ columns }) => columns.outcome !== 'aborted')) {
      const whole = Number(observation.endUnixNano - observation.startUnixNano) / 1e9
      expect(Math.abs(whole - sum([observation]))).toBeLessThanOrEqual(Math.max(0.05, 0.05 * whole))
    }
  })
})

describe('disaggregated SGLang 0.5.23', () => {
  const truth = readLines<ClientTruth>(fixture('pd-0.5.23.jsonl'))
  const observations = observeAll(readSpans(DISAGGREGATED))
  const pairs = truth.map((row) => {
    const decode = observations.find(({ requestIds }) => requestIds.includes(row.response_id))
    return { row, decode, prefill: observations.find(({ columns, traceId }) => columns.pool === 'prefill' && traceId === decode?.traceId) }
  })

  test('both servers are hops that share the bootstrap room', () => {
    for (const { row, decode, prefill } of pairs) {
      expect(prefill).toMatchObject({ role: 'hop', columns: { pool: 'prefill', prompt_tokens: row.prompt_tokens } })
      expect(decode).toMatchObject({ role: 'hop', columns: { pool: 'decode', output_tokens: row.output_tokens } })
      expect(prefill!.columns.output_tokens).toBeUndefined()
      expect(decode!.columns.replica).not.toBe(prefill!.columns.replica)
      expect(decode!.requestIds.filter((id) => prefill!.requestIds.includes(id))).toHaveLength(1)
    }
  })

  test('the transfer is the tightest bound, marked as a bound; the prefill server’s queue and forward are not in it', () => {
    for (const { decode, prefill } of pairs) {
      const transfer = decode!.phases.find(({ phase }) => phase === 'kv.transfer')
      expect(transfer).toMatchObject({ exactness: 'upper_bound', source: expect.stringContaining('prefill_transfer_kv_cache start') })
      expect(prefill!.phases.some(({ phase }) => phase === 'kv.transfer')).toBe(false)
    }
  })

  test('phases of both hops together cover the way from the first server to the last token', () => {
    for (const { decode, prefill } of pairs) {
      const whole = Number(decode!.boundaries.lastToken! - prefill!.startUnixNano) / 1e9
      expect(Math.abs(whole - sum([prefill!, decode!]))).toBeLessThanOrEqual(Math.max(0.03, 0.05 * whole))
    }
  })

  test('the router ends when the answer does, not when it lets go of the request', () => {
    const routers = observations.filter(({ vantage }) => vantage === 'gateway')
    for (const { row } of pairs) {
      const router = routers.find(({ requestIds }) => requestIds.includes(row.request_id))
      expect(Math.abs(Number(router!.endUnixNano - router!.startUnixNano) / 1e6 - row.end_ms)).toBeLessThan(Math.max(80, 0.1 * row.end_ms))
    }
  })

  test('on two hosts stamps are not compared: the bound is the prefill server’s own slice', () => {
    const { decode } = pairs[0]!
    const spans = readSpans(DISAGGREGATED).filter(({ traceId }) => traceId === decode!.traceId)
    const elsewhere = spans.map((span) =>
      decode!.spanIds.includes(span.spanId) && 'host_id' in span.attributes
        ? { ...span, attributes: { ...span.attributes, host_id: 'another' } }
        : span,
    )
    const transfer = observeSpans(elsewhere).observations.flatMap(({ phases }) => phases.filter(({ phase }) => phase === 'kv.transfer'))
    expect(transfer).toMatchObject([{ exactness: 'upper_bound', source: 'sglang slice prefill_transfer_kv_cache' }])
  })

  test('a decode server alone says what it knows, and its bound holds the prefill', () => {
    const { decode } = pairs[0]!
    const spans = readSpans(DISAGGREGATED).filter(({ spanId }) => decode!.spanIds.includes(spanId))
    const [alone] = observeSpans(spans).observations
    expect(alone!.phases.map(({ phase }) => phase)).toContain('engine.queue')
    expect(secondsOfPhase(alone!, 'kv.transfer')).toBeGreaterThan(secondsOfPhase(decode!, 'kv.transfer'))
  })
})

describe('SGLang oddities', () => {
  const spans = readSpans(SPANS)
  const observations = observeAll(spans)

  test('health checks are dropped', () => {
    const health = spans.filter(({ attributes }) => String(attributes['gen_ai.request.id']).startsWith('HEALTH_CHECK'))
    expect(health.length).toBeGreaterThan(0)
    expect(observations.some(({ spanId }) => health.some((span) => span.spanId === spanId))).toBe(false)
  })

  test('the orphan threads of rejected requests say nothing', () => {
    const orphans = spans.filter(({ attributes }) => String(attributes.reason).includes('auto closed'))
    expect(orphans.length).toBeGreaterThan(0)
    const used = new Set(observations.flatMap(({ spanIds }) => spanIds))
    for (const orphan of orphans) expect(used.has(orphan.spanId)).toBe(false)
  })

  test('n = 2 with its parent and its prefix-warming request is one observation', () => {
    const roots = Map.groupBy(
      spans.filter(({ attributes }) => attributes.module === 'sglang::request'),
      ({ traceId }) => traceId,
    )
    const [traceId] = [...roots].find(([, found]) => found.length === 4)!
    const own = observations.filter((observation) => observation.traceId === traceId)
    expect(own).toHaveLength(1)
    expect(own[0]!.columns.output_tokens).toBe(16)
  })

  test('an aborted stream is an outcome', () => {
    expect(observations.some(({ columns }) => columns.outcome === 'aborted' && columns.finish_reason === 'abort')).toBe(true)
  })
})
