import { createManualClock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS } from '@longpole/model/conventions/metrics'
import { emptySample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { OpenRequest } from '@longpole/model/observation'
import { emptyColumns } from '@longpole/model/request-columns'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Objective } from '@longpole/model/slo'
import { expect, test } from 'vitest'
import { createRegistry } from './registry.ts'
import { createRequestMetrics } from './request-metrics.ts'

const OBJECTIVES: Objective[] = [
  { slo: 'ttft', model: 'm', objective: 0.99, thresholdSeconds: { '1k': 2, inf: 20 } },
  { slo: 'tpot', model: '*', objective: 0.99, thresholdSeconds: { inf: 0.1 } },
  { slo: 'e2e', model: '*', objective: 0.99, thresholdSeconds: { inf: 60 } },
  { slo: 'availability', model: '*', objective: 0.999 },
  { slo: 'goodput', model: '*', objective: 0.97 },
]

function setUp() {
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version: '0', component: 'hub' })
  const clock = createManualClock()
  const metrics = createRequestMetrics(registry, OBJECTIVES, clock)
  /** Sum of the series whose labels include the given ones; undefined where there is none. */
  async function read(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const page = await registry.render(false)
    const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    const found = lines.filter((text) => Object.entries(labels).every(([label, value]) => text.includes(`${label}="${value}"`)))
    return found.length === 0 ? undefined : found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }
  const slo = (name: string, result: string) => read('longpole_slo_requests_total', { slo: name, result })
  return { registry, clock, metrics, read, slo }
}

function record(change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    ...emptyColumns(),
    trace_id: 'a'.repeat(32),
    record_id: `${'a'.repeat(32)}-${'b'.repeat(16)}`,
    request_id: 'r1',
    start_unix_ns: 1n,
    vantage: 'client',
    joined: ['client', 'sidecar', 'engine'],
    cluster: 'c',
    model: 'm',
    replica: 'd1',
    pool: 'decode',
    prompt_class: '1k',
    e2e: 3,
    ttft: 1,
    tpot: 0.02,
    outcome: 'ok',
    phases: [
      { phase: 'client.connect', seconds: 0.1, source: 'sdk', exactness: 'measured', parts: { dns: 0.04, tcp: 0.06 } },
      { phase: 'engine.queue', seconds: 0.4, source: 'engine', exactness: 'measured' },
      { phase: 'engine.decode', seconds: 2.5, source: 'engine', exactness: 'measured' },
    ],
    overlays: [],
    hops: [],
    attempt_list: [],
    ...change,
  }
}

function open(change: Partial<OpenRequest> = {}): OpenRequest {
  return {
    traceId: 'a'.repeat(32),
    spanId: 'c'.repeat(16),
    requestId: 'r1',
    startUnixNano: 1n,
    observedUnixNano: 2n,
    ageSeconds: 1,
    phase: 'engine.queue',
    columns: { cluster: 'c', model: 'm', replica: 'd1', prompt_class: '1k' },
    ...change,
  }
}

test('a settled request counts once in each of its metrics', async () => {
  const { metrics, read, slo } = setUp()
  expect(metrics.settled(record({ prompt_tokens: 100, cached_tokens: 0, cached_tokens_by_tier: { host: 7 } }))).toBe('good')
  expect(await read('longpole_requests_total', { outcome: 'ok' })).toBe(1)
  expect(await read('longpole_ttft_seconds_sum')).toBe(1)
  expect(await read('longpole_phase_seconds_sum', { phase: 'engine.queue' })).toBe(0.4)
  expect(await read('longpole_class_phase_seconds_sum', { phase: 'engine.decode', slo_result: 'good' })).toBe(2.5)
  expect(await read('longpole_tokens_total', { kind: 'prompt' })).toBe(100)
  expect(await read('longpole_tokens_total', { kind: 'cached' })).toBe(0)
  expect(await read('longpole_tokens_total', { kind: 'output' })).toBeUndefined()
  expect(await read('longpole_cached_tokens_total', { tier: 'host' })).toBe(7)
  expect(await read('longpole_connect_seconds_sum', { part: 'tcp' })).toBe(0.06)
  expect(await read('longpole_server_ttft_seconds_sum')).toBeCloseTo(0.9)
  for (const name of ['ttft', 'tpot', 'e2e', 'availability', 'goodput']) {
    expect(await slo(name, 'good')).toBe(1)
    expect(await slo(name, 'bad')).toBe(0)
  }
  expect(await read('longpole_slo_objective', { model: 'm', slo: 'goodput' })).toBe(0.97)
  expect(await read('longpole_slo_threshold_seconds', { model: 'm', slo: 'ttft', prompt_class: '1k' })).toBe(2)
})

test('an open request is bad at its deadline, once, and is not counted again when it settles', async () => {
  const { metrics, slo } = setUp()
  expect(metrics.open([open({ ageSeconds: 1.9 })])).toEqual([[]])
  expect(await slo('ttft', 'bad')).toBeUndefined()
  expect(metrics.open([open({ ageSeconds: 2.1 })])).toEqual([['ttft', 'goodput']])
  metrics.open([open({ ageSeconds: 7 })])
  expect(await slo('ttft', 'bad')).toBe(1)
  expect(await slo('goodput', 'bad')).toBe(1)
  expect(await slo('availability', 'bad')).toBe(0)
  expect(metrics.settled(record({ ttft: 8, e2e: 9 }))).toBe('bad')
  expect(await slo('ttft', 'bad')).toBe(1)
  expect(await slo('goodput', 'bad')).toBe(1)
  expect(await slo('availability', 'good')).toBe(1)
  metrics.settled(record({ ttft: 8, request_id: 'another' }))
  expect(await slo('ttft', 'bad')).toBe(2)
})

test('after the first token, and where it is no stream, age says nothing about ttft', async () => {
  const { metrics } = setUp()
  expect(metrics.open([open({ ageSeconds: 30, phase: 'engine.decode' }), open({ ageSeconds: 30, phase: 'unattributed' })])).toEqual([
    [],
    [],
  ])
  expect(metrics.open([open({ ageSeconds: 61, phase: 'unattributed' })])).toEqual([['e2e', 'goodput']])
})

test('a request without a first token, and one the client aborted in time, is neither good nor bad', async () => {
  const { metrics, slo } = setUp()
  metrics.settled(record({ ttft: null, outcome: 'aborted', e2e: 1, tpot: null }))
  expect(await slo('ttft', 'good')).toBe(0)
  expect(await slo('availability', 'good')).toBe(0)
  metrics.settled(record({ ttft: null, outcome: 'error', e2e: 1, tpot: null }))
  expect(await slo('ttft', 'bad')).toBe(1)
  expect(await slo('availability', 'bad')).toBe(1)
})

test('synthetic requests stay out of everything but the probe metrics', async () => {
  const { metrics, registry, read, slo } = setUp()
  const before = await registry.render(false)
  metrics.open([open({ ageSeconds: 100, columns: { model: 'm', synthetic: true } })])
  expect(await registry.render(false)).toBe(before)
  metrics.settled(record({ synthetic: true, ttft: 3 }))
  expect(await slo('ttft', 'bad')).toBeUndefined()
  expect(await read('longpole_requests_total', { model: 'm' })).toBeUndefined()
  expect(await read('longpole_probe_requests_total', { result: 'bad' })).toBe(1)
  expect(await read('longpole_probe_up', { model: 'm' })).toBe(0)
})

test('phases of a disaggregated request belong to the replica that had them', async () => {
  const { metrics, read } = setUp()
  const prefill = { phase: 'engine.prefill', seconds: 0.7, source: 'engine', exactness: 'measured' } as const
  const transfer = { phase: 'kv.transfer', seconds: 0.05, source: 'engine', exactness: 'upper_bound' } as const
  metrics.settled(
    record({
      prefill_replica: 'p1',
      decode_replica: 'd1',
      kv_bytes: 5e6,
      phases: [...record().phases, prefill, transfer],
      hops: [
        { replica: 'p1', pool: 'prefill', engine: 'sglang', span_id: 'f'.repeat(16), start_unix_ns: 1n, seconds: 1, phases: [prefill] },
      ],
    }),
  )
  expect(await read('longpole_replica_phase_seconds_sum', { replica: 'p1', phase: 'engine.prefill', pool: 'prefill' })).toBe(0.7)
  expect(await read('longpole_replica_phase_seconds_sum', { replica: 'd1', phase: 'engine.prefill' })).toBeUndefined()
  expect(await read('longpole_replica_phase_seconds_sum', { replica: 'd1', phase: 'engine.decode' })).toBe(2.5)
  expect(await read('longpole_phase_seconds_count', { phase: 'engine.prefill' })).toBe(1)
  expect(await read('longpole_kv_transfer_seconds_sum', { source: 'p1', destination: 'd1' })).toBe(0.05)
  expect(await read('longpole_kv_transfers_total', { result: 'ok' })).toBe(1)
})

test('requests in flight are gauges by phase, and gone when they are', async () => {
  const { metrics, read } = setUp()
  metrics.open([open({ ageSeconds: 4 }), open({ ageSeconds: 9, spanId: 'd'.repeat(16), requestId: 'r2' })])
  expect(await read('longpole_requests_open', { phase: 'engine.queue' })).toBe(2)
  expect(await read('longpole_request_open_age_seconds_max', { phase: 'engine.queue' })).toBe(9)
  metrics.open([])
  expect(await read('longpole_requests_open')).toBeUndefined()
})

test('what a sample does not know is absent, a silent replica is down, and an hour later forgotten', async () => {
  const { metrics, clock, read } = setUp()
  const sample = { ...emptySample('d1', 1_000_000_000n), model: 'm', running: 3, output_tokens_per_second: 10, engine_version: '1' }
  metrics.sample(sample)
  metrics.sample({ ...sample, unix_ns: 6_000_000_000n, engine_version: '2', gpu_throttle_reason: 'thermal' })
  expect(await read('longpole_engine_running')).toBe(3)
  expect(await read('longpole_engine_waiting')).toBeUndefined()
  expect(await read('longpole_engine_tokens_total', { kind: 'output' })).toBe(50)
  expect(await read('longpole_engine_info', { engine_version: '1' })).toBeUndefined()
  expect(await read('longpole_engine_info', { engine_version: '2' })).toBe(1)
  expect(await read('longpole_engine_gpu_throttled', { reason: 'thermal' })).toBe(1)
  clock.advance(31_000)
  metrics.expire()
  expect(await read('longpole_engine_up', { replica: 'd1' })).toBe(0)
  expect(await read('longpole_engine_running')).toBeUndefined()
  expect(await read('longpole_engine_expected', { model: 'm' })).toBe(1)
  clock.advance(3_600_000)
  metrics.expire()
  expect(await read('longpole_engine_up')).toBeUndefined()
  expect(await read('longpole_engine_expected')).toBeUndefined()
})

test('a metric that an engine never tells is named, and no longer once it does', async () => {
  const { metrics, read } = setUp()
  const sample = { ...emptySample('d1', 1_000_000_000n), model: 'm', running: 0, kv_usage: 0 }
  for (let count = 0; count < 4; count++) metrics.sample({ ...sample, unix_ns: BigInt(count) * 5_000_000_000n })
  expect(await read('longpole_engine_metric_missing', { metric: 'waiting' })).toBe(1)
  expect(await read('longpole_engine_metric_missing', { metric: 'running' })).toBeUndefined()
  metrics.sample({ ...sample, unix_ns: 30_000_000_000n, waiting: 0 })
  expect(await read('longpole_engine_metric_missing', { metric: 'waiting' })).toBeUndefined()
})

test('a sidecar is heard of by its resource, others are not sidecars', async () => {
  const { metrics, read } = setUp()
  metrics.heard({ 'service.name': 'app', 'longpole.replica': 'a' })
  expect(await read('longpole_sidecar_seen_timestamp_seconds')).toBeUndefined()
  metrics.heard({ 'service.name': 'longpole-sidecar', 'service.version': '1', 'longpole.replica': 'a' })
  expect(await read('longpole_sidecar_seen_timestamp_seconds', { replica: 'a', version: '1' })).toBe(1_700_000_000)
})

test('findings are ranked within model and objective and replaced whole', async () => {
  const { metrics, read } = setUp()
  const finding = (id: string): Finding => ({
    id,
    opened: '2026-11-24T12:00:00Z',
    updated: '2026-11-24T12:00:00Z',
    closed: null,
    model: 'm',
    verdict: 'localized',
    target: { column: 'ttft', slo_seconds: 2, quantile: null, slo: 'ttft' },
    slice: { replica: ['b', 'a'], cluster: ['c'] },
    aliases: [],
    siblings: [],
    phases: [{ phase: 'engine.queue', share: 0.8, low: 0.7, high: 0.9 }],
    onset: { at: '1970-01-01T00:01:00Z', low: '', high: '' },
    share_explained: { value: 0.8, low: 0.7, high: 0.9 },
    excess_seconds: 1,
    bad_requests: 4,
    workload: [],
    mechanism: { name: 'queue_buildup', evidence_for: [], evidence_against: [], needs: [] },
    changes: [],
    confidence: 'high',
    probability: 0.9,
    looked_at: [],
    not_seen: [],
    next_check: '',
  })
  metrics.findings([finding('f1'), finding('f2')], 5_000_000_000n)
  expect(
    await read('longpole_finding_info', { rank: '1', finding: 'f1', slice: 'cluster=c,replica=a|b', mechanism: 'queue_buildup' }),
  ).toBe(1)
  expect(await read('longpole_finding_info', { rank: '2', finding: 'f2' })).toBe(1)
  expect(await read('longpole_finding_onset_timestamp_seconds', { rank: '1', cluster: 'c' })).toBe(60)
  expect(await read('longpole_finding_share', { rank: '1' })).toBe(0.8)
  metrics.findings([], 6_000_000_000n)
  expect(await read('longpole_finding_info')).toBeUndefined()
  expect(await read('longpole_localizer_last_success_timestamp_seconds')).toBe(6)
  metrics.events([
    { id: 'e', kind: 'deploy', unix_ns: 7_000_000_000n, scope: {}, title: 'v2', source: 'api', from_value: null, to_value: null },
  ])
  metrics.events([
    { id: 'g', kind: 'scale', unix_ns: 8_000_000_000n, scope: {}, title: '+1', source: 'api', from_value: null, to_value: null },
  ])
  expect(await read('longpole_change_timestamp_seconds', { kind: 'deploy', event: 'v2' })).toBe(7)
  expect(await read('longpole_change_timestamp_seconds', { kind: 'scale' })).toBe(8)
})

test('every gap of a stream is counted, so that the tail can be set against the median', async () => {
  const { metrics, read } = setUp()
  // Index -46 holds 18.6 to 20.3 ms, index -8 holds 0.5 to 0.545 s (base 2, scale 3).
  metrics.settled(record({ itl: { '-46': 97, '-8': 3 } }))
  expect(await read('longpole_itl_seconds_count')).toBe(100)
  expect(await read('longpole_itl_seconds_bucket', { le: '0.02' })).toBe(97)
  expect(await read('longpole_itl_seconds_bucket', { le: '0.5' })).toBe(97)
  expect(await read('longpole_itl_seconds_bucket', { le: '1' })).toBe(100)
  metrics.settled(record({ itl: { '-46': 1_000_000 } }))
  expect(await read('longpole_itl_seconds_count')).toBe(20_100)
})

test('what a request may be judged as starts at 0 for every prompt class, before there is anything to count', async () => {
  const { metrics, read } = setUp()
  metrics.settled(record())
  for (const prompt_class of ['1k', '8k', '32k', 'inf']) {
    const labels = { model: 'm', slo: 'ttft', prompt_class, vantage: 'sidecar', result: 'bad' }
    expect(await read('longpole_slo_requests_total', labels), prompt_class).toBe(0)
    expect(await read('longpole_class_phase_seconds_sum', { prompt_class, slo_result: 'bad', phase: 'engine.decode' })).toBe(0)
  }
})

test('a phase that is met later starts at 0 for the classes that were met before', async () => {
  const { metrics, read } = setUp()
  metrics.settled(record())
  expect(await read('longpole_class_phase_seconds_count', { phase: 'kv.transfer' })).toBeUndefined()
  metrics.settled(record({ prompt_class: '8k', phases: [{ phase: 'kv.transfer', seconds: 1, exactness: 'measured', source: 'engine' }] }))
  expect(await read('longpole_class_phase_seconds_count', { phase: 'kv.transfer', prompt_class: '1k', slo_result: 'good' })).toBe(0)
  expect(await read('longpole_class_phase_seconds_count', { phase: 'kv.transfer', prompt_class: '8k' })).toBe(1)
})
