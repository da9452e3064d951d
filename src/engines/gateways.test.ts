import { describe, expect, test } from 'vitest'
import { describeAdapter, observeAll, readSpans, secondsOfPhase } from './contract-test.ts'
import { dynamo } from './dynamo/adapter.ts'
import { litellm } from './litellm/adapter.ts'
import { llmD } from './llm-d/adapter.ts'
import { observeSpans } from './observe.ts'
import { sglangRouter } from './sglang-router/adapter.ts'

const DYNAMO = new URL('dynamo/fixtures/spans-1.6.1.bin', import.meta.url)
const LITELLM = new URL('litellm/fixtures/spans-1.106.2.bin', import.meta.url)
const LLM_D = new URL('llm-d/fixtures/spans-ebab6879.bin', import.meta.url)
const SGLANG_ROUTER = new URL('sglang-router/fixtures/spans-0.3.2.bin', import.meta.url)

describeAdapter(dynamo, [DYNAMO])
describeAdapter(litellm, [LITELLM])
describeAdapter(llmD, [LLM_D])
describeAdapter(sglangRouter, [SGLANG_ROUTER])

describe('gateways', () => {
  test('Dynamo: the caller’s request id, the frontend’s first token, both workers of a disaggregated request', () => {
    const observations = observeAll(readSpans(DYNAMO))
    const disaggregated = observations.filter(({ columns }) => columns.prefill_replica && columns.decode_replica)
    expect(disaggregated.length).toBeGreaterThan(0)
    for (const observation of disaggregated) {
      expect(observation.columns.prefill_replica).not.toBe(observation.columns.decode_replica)
      expect(observation.columns.replica).toBe(observation.columns.decode_replica)
      expect(secondsOfPhase(observation, 'gateway.route')).toBeGreaterThan(0)
    }
    expect(disaggregated.some(({ boundaries }) => boundaries.firstToken !== undefined)).toBe(true)
    expect(observations.some(({ requestIds }) => requestIds.includes('load-0000'))).toBe(true)
  })

  test('LiteLLM: both span layouts are one observation a request', () => {
    const observations = observeAll(readSpans(LITELLM))
    const ok = observations.filter(({ columns }) => columns.outcome === 'ok')
    expect(ok.length).toBeGreaterThanOrEqual(10)
    for (const observation of ok.filter(({ spanIds }) => spanIds.length > 1)) {
      expect(observation.columns).toMatchObject({ model: 'tiny', gateway: 'litellm' })
      expect(secondsOfPhase(observation, 'gateway.route')).toBeGreaterThan(0)
    }
  })

  test('llm-d: the picker and the P/D sidecar, with the prefill hop as an upper bound', () => {
    const observations = observeAll(readSpans(LLM_D))
    const prefilled = observations.filter(({ phases }) => phases.some(({ phase }) => phase === 'engine.prefill'))
    expect(prefilled.length).toBeGreaterThan(0)
    for (const { phases } of prefilled) expect(phases.find(({ phase }) => phase === 'engine.prefill')?.exactness).toBe('upper_bound')
    expect(observations.filter(({ columns }) => columns.gateway === 'llm-d-epp').length).toBe(8)
  })

  test('an engine below a gateway finds its way up through the gateway’s own spans', () => {
    const spans = readSpans(DYNAMO)
    const withRoot = new Set(spans.filter(({ name }) => name === 'http-request').map(({ traceId }) => traceId))
    const payload = spans.find(({ name, traceId }) => name === 'handle_payload' && withRoot.has(traceId))!
    const engine = {
      ...payload,
      spanId: 'eeeeeeeeeeeeeeee',
      parentSpanId: payload.spanId,
      name: 'llm_request',
      scopeName: 'vllm.tracing.otel',
      resource: { 'service.name': 'vllm' },
      attributes: { 'gen_ai.latency.time_to_first_token': 0.01, 'gen_ai.request.id': 'x' },
    }
    const { observations } = observeSpans([...spans.filter(({ traceId }) => traceId === payload.traceId), engine])
    const gateway = observations.find(({ vantage }) => vantage === 'gateway')
    const below = observations.find(({ vantage }) => vantage === 'engine')
    expect(gateway?.spanIds).toContain(below?.parentSpanId)
  })
})
