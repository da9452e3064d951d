import type { Observation } from '@longpole/model/observation'
import { describe, expect, test } from 'vitest'
import { describeAdapter, observeAll, readSpans } from '../contract-test.ts'
import { observeSpans } from '../observe.ts'
import { longpoleSdk, longpoleSidecar } from './adapter.ts'

const SPANS = new URL('fixtures/spans-0.1.0.bin', import.meta.url)

describeAdapter(longpoleSdk, [SPANS])
describeAdapter(longpoleSidecar, [SPANS])

describe('our own spans', () => {
  const spans = readSpans(SPANS)
  const observations = observeAll(spans)
  const of = (vantage: string, role: string) =>
    observations.filter((observation) => observation.vantage === vantage && observation.role === role)

  test('every logical request has an attempt with its connection phases', () => {
    const requests = of('client', 'request')
    expect(requests.length).toBeGreaterThan(3)
    for (const request of requests) {
      const attempt = of('client', 'attempt').find(({ parentSpanId }) => parentSpanId === request.spanId)
      expect(attempt?.phases.map(({ phase }) => phase).sort()).toEqual(['client.connect', 'client.upload'])
      expect(attempt?.boundaries.sent).toBeDefined()
    }
  })

  test('the sidecar hangs below the client’s attempt, knows its own time and when it passed the first token on', () => {
    const sidecars = of('sidecar', 'attempt')
    expect(sidecars.length).toBeGreaterThan(3)
    for (const sidecar of sidecars) {
      expect(of('client', 'attempt').some(({ spanId }) => spanId === sidecar.parentSpanId)).toBe(true)
      const { received, sent, firstToken, firstTokenOut } = sidecar.boundaries
      expect(received).toBeDefined()
      if (sidecar.columns.outcome === 'ok') {
        expect(sidecar.phases.map(({ phase }) => phase)).toEqual(['sidecar'])
        expect(sent! >= received!).toBe(true)
      }
      if (firstToken !== undefined) expect(firstTokenOut! >= firstToken).toBe(true)
    }
  })

  test('the first-token wait is a span beside the phases, and no phase', () => {
    const waits = spans.filter(({ name }) => name === 'first_token.wait')
    expect(waits.length).toBeGreaterThan(0)
    expect(observations.flatMap(({ phases }) => phases).some(({ source }) => source.includes('wait'))).toBe(false)
    const used = new Set(observations.flatMap(({ spanIds }) => spanIds))
    for (const wait of waits) expect(used.has(wait.spanId)).toBe(true)
  })

  test('columns: model, outcome, tokens, gaps, route', () => {
    const ok = of('client', 'request').find(({ columns }) => columns.outcome === 'ok' && columns.output_tokens !== undefined) as Observation
    expect(ok.columns).toMatchObject({ outcome: 'ok', sdk: 'fetch', model: expect.any(String), ttft: expect.any(Number) })
    const gaps = Object.values(ok.columns.itl ?? {}).reduce((sum, count) => sum + count, 0)
    expect(gaps).toBe((ok.columns.chunks ?? 0) - 1)
    expect(of('sidecar', 'attempt')[0]!.columns).toMatchObject({ route: expect.stringContaining('/v1/'), replica: expect.any(String) })
  })

  test('a consumer’s pauses are in the sum only where they delayed the stamps', () => {
    const request = spans.find(({ attributes }) => attributes['longpole.role'] === 'request')!
    const consume = {
      ...request,
      spanId: 'cccccccccccccccc',
      parentSpanId: request.spanId,
      name: 'client.consume',
      attributes: {
        'longpole.role': 'phase',
        'longpole.phase': 'client.consume',
        'longpole.exactness': 'measured',
        'longpole.source': 'sdk iterator',
      },
    }
    const phasesWith = (seen: string) =>
      observeSpans([{ ...request, attributes: { ...request.attributes, 'longpole.seen': seen } }, consume]).observations[0]!.phases.map(
        ({ phase }) => phase,
      )
    expect(phasesWith('iterator')).toEqual(['client.consume'])
    expect(phasesWith('socket')).toEqual([])
  })

  test('hostile attributes are unknown, not wrong', () => {
    const request = spans.find(({ attributes }) => attributes['longpole.role'] === 'request')!
    const attributes = {
      ...request.attributes,
      'longpole.at.first_token': -1,
      'gen_ai.usage.input_tokens': 'many',
      'longpole.outcome': 'splendid',
      'longpole.gaps.histogram': ['x', 5, '1:2', '__proto__:1'],
      'longpole.dimension.team': 'a'.repeat(1_000),
    }
    const [observation] = observeSpans([{ ...request, attributes }]).observations
    expect(observation!.columns.ttft).toBeUndefined()
    expect(observation!.columns.prompt_tokens).toBeUndefined()
    expect(observation!.columns.outcome).toBeUndefined()
    expect(observation!.columns.itl).toEqual({ 1: 2 })
    expect(observation!.dimensions?.team).toHaveLength(128)
  })
})
