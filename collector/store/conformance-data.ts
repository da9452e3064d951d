// Made-up spans, records, samples and findings for the conformance suite: seeded, and with the values that break stores (nulls, quotes,
// whole numbers beyond 2^53, text outside ASCII).
import { emptySample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import { PHASE_IDS, type PhaseDuration } from '@longpole/model/phase'
import { emptyColumns } from '@longpole/model/request-columns'
import { OUTCOMES, type RequestRecord } from '@longpole/model/request-record'
import { type Span, SpanKind } from '@longpole/model/span'
import type { StoredSpan } from './store.ts'

export const START = 1_790_000_000_000_000_000n
const SECOND = 1_000_000_000n

/** 32-bit mulberry: small, seeded, good enough for made-up data. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

export function makeSpans(
  count: number,
  { seed = 1, receivedUnixNano = START }: { seed?: number; receivedUnixNano?: bigint } = {},
): StoredSpan[] {
  const random = createRandom(seed)
  const resource = { 'service.name': 'engine', 'host.name': 'it\'s "a" host\\', attempts: 12_345_678_901_234_567_890n }
  return Array.from({ length: count }, (_, index) => {
    const span: Span = {
      traceId: hex(seed, 8) + hex(Math.floor(index / 3), 24),
      spanId: hex(seed, 4) + hex(index, 12),
      parentSpanId: index % 3 === 0 ? '' : hex(index - 1, 16),
      traceState: index % 5 === 0 ? 'ot=th:8' : '',
      flags: 1,
      name: index % 3 === 0 ? 'chat model' : 'llm_request',
      kind: SpanKind.server,
      startUnixNano: START + BigInt(index) * SECOND,
      endUnixNano: START + BigInt(index) * SECOND + 123_456_789n,
      attributes: {
        'gen_ai.request.model': 'größe-模型-🙂',
        'gen_ai.usage.input_tokens': Math.floor(random() * 10_000),
        big: 9_007_199_254_740_993n,
        ratio: random(),
        flag: index % 2 === 0,
        list: ['a', 1, null],
        nested: { deep: { deeper: -1n } },
        bytes: new Uint8Array([0, 255, 10]),
      },
      events: index % 7 === 0 ? [{ name: 'first', timeUnixNano: START, attributes: { n: 1 } }] : [],
      links: index % 7 === 0 ? [{ traceId: hex(1, 32), spanId: hex(2, 16), attributes: {} }] : [],
      statusCode: index % 3,
      statusMessage: '',
      resource,
      scopeName: '@longpole/sidecar',
      scopeVersion: '0.1.0',
    }
    return { span, receivedUnixNano: receivedUnixNano + BigInt(index) * 1_000n }
  })
}

export function makeRecord(index: number, { seed = 1, version = 3 }: { seed?: number; version?: number } = {}): RequestRecord {
  const random = createRandom(seed * 1_000_003 + index)
  const start = START + BigInt(index) * 25_000_000n
  const phases: PhaseDuration[] = PHASE_IDS.filter((_, position) => position % 3 === index % 3 || position === PHASE_IDS.length - 1).map(
    (phase, position) => ({
      phase,
      seconds: random(),
      source: `vllm llm_request ${phase}`,
      exactness: position % 2 === 0 ? ('measured' as const) : ('upper_bound' as const),
      ...(position % 4 === 1 ? { errorSeconds: 0.002 } : {}),
      ...(phase === 'client.connect' ? { parts: { dns: 0.001, tcp: 0.002 } } : {}),
    }),
  )
  const e2e = phases.reduce((sum, phase) => sum + phase.seconds, 0)
  return {
    ...emptyColumns(),
    trace_id: hex(seed, 8) + hex(index, 24),
    record_id: `${hex(seed, 8)}${hex(index, 24)}-${hex(index, 16)}`,
    request_id: index % 2 === 0 ? `req-${index}` : null,
    start_unix_ns: start,
    received_unix_ns: start + 5n * SECOND,
    vantage: 'client',
    version,
    joined: index % 4 === 0 ? ['engine'] : ['client', 'sidecar', 'engine'],
    weight: index % 10 === 0 ? 4 : 1,
    cluster: 'c1',
    region: index % 2 === 0 ? 'eu-1' : 'us-1',
    model: `model-${index % 3}`,
    replica: `replica-${index % 7}`,
    tenant: index % 5 === 0 ? null : "ten'ant\\",
    prompt_class: '1k',
    prompt_tokens: Math.floor(random() * 1_000),
    cached_tokens: 0,
    cached_tokens_by_tier: index % 2 === 0 ? { device: 12, host: 0 } : null,
    output_tokens: Math.floor(random() * 500) + 1,
    kv_usage: random(),
    kv_bytes: index % 3 === 0 ? 5_000_000_000 : null,
    cold: index % 11 === 0,
    e2e,
    ttft: e2e * 0.3,
    tpot: 0.02,
    itl: { '-40': 3, '-41': 2 },
    outcome: OUTCOMES[index % 5] as RequestRecord['outcome'],
    http_status: 200,
    finish_reason: 'stop',
    dimensions: index % 2 === 0 ? { team: 'größe 🙂' } : null,
    phases,
    overlays: index % 3 === 0 ? [{ overlay: 'stream.stall', seconds: 0.4, source: 'gaps' }] : [],
    hops:
      index % 6 === 0
        ? [
            {
              replica: 'p1',
              pool: 'prefill',
              engine: 'sglang',
              span_id: hex(9, 16),
              start_unix_ns: start,
              seconds: 0.5,
              phases: phases.slice(0, 1),
            },
          ]
        : [],
    attempt_list: [{ span_id: hex(index, 16), start_unix_ns: start, seconds: e2e, outcome: 'ok', error_class: null, http_status: 200 }],
  }
}

export function makeRecords(count: number, options: { seed?: number; version?: number } = {}): RequestRecord[] {
  return Array.from({ length: count }, (_, index) => makeRecord(index, options))
}

export function makeSample(index: number) {
  return { ...emptySample(`replica-${index % 2}`, START + BigInt(index) * SECOND), model: 'model-0', running: 3, kv_usage: 0.5 }
}

export function makeFinding(id: string, change: Partial<Finding> = {}): Finding {
  return {
    id,
    opened: '2026-11-24T12:00:00.000Z',
    updated: '2026-11-24T12:00:00.000Z',
    closed: null,
    model: 'model-0',
    verdict: 'localized',
    target: { column: 'ttft', slo_seconds: 2, quantile: null, slo: 'ttft' },
    slice: { replica: ['replica-1'] },
    aliases: [],
    siblings: [],
    phases: [{ phase: 'engine.queue', share: 0.8, low: 0.7, high: 0.9 }],
    onset: { at: '2026-11-24T11:58:00.000Z', low: '2026-11-24T11:57:00.000Z', high: '2026-11-24T11:59:00.000Z' },
    share_explained: { value: 0.8, low: 0.7, high: 0.9 },
    excess_seconds: 120,
    bad_requests: 40,
    workload: [],
    mechanism: null,
    changes: [],
    confidence: 'high',
    probability: 0.9,
    looked_at: ['replica'],
    not_seen: [],
    next_check: 'queue of replica-1',
    ...change,
  }
}
