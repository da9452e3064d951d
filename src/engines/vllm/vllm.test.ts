import type { Observation } from '@longpole/model/observation'
import { describe, expect, test } from 'vitest'
import { describeAdapter, observeAll, readLines, readSpans, secondsOfPhase } from '../contract-test.ts'
import { observeSpans } from '../observe.ts'
import { vllm } from './adapter.ts'
import { readFingerprint } from './fingerprint.ts'

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url)
const SPANS = fixture('spans-0.32.0.bin')
const TRUTH = fixture('truth-0.32.0.bin')

describeAdapter(vllm, [SPANS, TRUTH])

interface ClientTruth {
  request_id: string
  trace_id: string
  span_id: string
  status: number
  group: string
  prompt_tokens: number
  output_tokens: number
  metrics: { queue_time_ms: number; time_to_first_token_ms: number; generation_time_ms: number } | null
}

describe('vLLM 0.32.0 against what its clients saw', () => {
  const truth = readLines<ClientTruth>(fixture('truth-0.32.0.jsonl'))
  const byTraceId = new Map(observeAll(readSpans(TRUTH)).map((observation) => [observation.traceId, observation]))

  test('one observation a finished request, none for aborted and rejected ones', () => {
    const silent = truth.filter(({ group, status }) => group === 'abort' || status !== 200)
    expect(silent.length).toBeGreaterThan(0)
    expect(byTraceId.size).toBe(truth.length - silent.length)
    for (const { trace_id } of silent) expect(byTraceId.has(trace_id)).toBe(false)
  })

  test('queue, prefill and decode are those of the response body; parent, id and tokens those of the client', () => {
    for (const row of truth.filter(({ trace_id }) => byTraceId.has(trace_id))) {
      const observation = byTraceId.get(row.trace_id) as Observation
      expect(observation.parentSpanId).toBe(row.span_id)
      expect(observation.requestIds).toContain(row.request_id)
      expect(observation.columns).toMatchObject({ prompt_tokens: row.prompt_tokens, output_tokens: row.output_tokens, engine: 'vllm' })
      if (!row.metrics) continue
      expect(secondsOfPhase(observation, 'engine.queue')).toBeCloseTo(row.metrics.queue_time_ms / 1000, 9)
      expect(secondsOfPhase(observation, 'engine.prefill')).toBeCloseTo(row.metrics.time_to_first_token_ms / 1000, 9)
      expect(secondsOfPhase(observation, 'engine.decode')).toBeCloseTo(row.metrics.generation_time_ms / 1000, 9)
    }
  })
})

describe('vLLM requests with several sequences', () => {
  const spans = readSpans(SPANS)
  const observations = observeAll(spans)
  const many = observations.filter(({ spanIds }) => spanIds.length > 1)

  test('n = 2 and two prompts are one observation each, output tokens added', () => {
    expect(many.length).toBeGreaterThanOrEqual(2)
    for (const observation of many) {
      const own = spans.filter((span) => observation.spanIds.includes(span.spanId))
      const output = own.reduce((sum, span) => sum + Number(span.attributes['gen_ai.usage.completion_tokens']), 0)
      expect(observation.columns.output_tokens).toBe(output)
    }
  })

  test('queue and prefill are of the earliest first token, decode runs to the last token', () => {
    for (const observation of many) {
      const own = spans.filter((span) => observation.spanIds.includes(span.spanId))
      const ttft = own.map((span) => Number(span.attributes['gen_ai.latency.time_to_first_token']))
      const first = own[ttft.indexOf(Math.min(...ttft))]!
      expect(secondsOfPhase(observation, 'engine.queue')).toBe(first.attributes['gen_ai.latency.time_in_queue'])
      expect(secondsOfPhase(observation, 'engine.prefill')).toBe(first.attributes['gen_ai.latency.time_in_model_prefill'])
      const longest = Math.max(...own.map((span) => Number(span.attributes['gen_ai.latency.time_in_model_decode'])))
      expect(secondsOfPhase(observation, 'engine.decode')).toBeGreaterThan(longest - 0.03)
    }
  })

  test('two sequences of two different requests below one caller span stay apart', () => {
    const [span] = spans.filter(({ name }) => name === 'llm_request')
    const other = { ...span!, spanId: 'ffffffffffffffff', attributes: { ...span!.attributes, 'gen_ai.request.id': 'chatcmpl-other' } }
    expect(observeSpans([span!, other]).observations).toHaveLength(2)
  })

  test('start-up spans are claimed and say nothing', () => {
    const startup = spans.filter(({ name, scopeName }) => name !== 'llm_request' && scopeName.startsWith('vllm'))
    expect(startup.length).toBeGreaterThan(0)
    const { observations: none, ignored } = observeSpans(startup)
    expect(none).toEqual([])
    expect(ignored).toHaveLength(startup.length)
  })

  test('a decode server cannot tell queue from KV arrival, and says so', () => {
    const [span] = spans.filter(({ name }) => name === 'llm_request')
    const [observation] = observeSpans([{ ...span!, resource: { ...span!.resource, 'longpole.pool': 'decode' } }]).observations
    expect(observation!.role).toBe('hop')
    expect(observation!.phases.map(({ phase }) => phase)).toContain('engine.queue_or_kv')
  })
})

describe('the fingerprint in a response', () => {
  test('tells version and a hash of settings, of vLLM alone', () => {
    expect(readFingerprint('vllm-0.32.0-2acfe133')).toEqual({ engine: 'vllm', engine_version: '0.32.0', flags_hash: '2acfe133' })
    expect(readFingerprint('vllm-0.33.0rc1-0a1b2c3d')).toMatchObject({ engine_version: '0.33.0rc1' })
    for (const other of [null, '', 'fp_44709d6fcb', 'vllm', 'vllm-x-1', 'vllm-0.32.0-2acfe133-more'])
      expect(readFingerprint(other)).toEqual({})
  })
})
