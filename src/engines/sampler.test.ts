import { readdirSync, readFileSync } from 'node:fs'
import type { EngineSample } from '@longpole/model/engine-sample'
import { describe, expect, test } from 'vitest'
import { createSampler, type SampledReplica } from './sampler.ts'

const REPLICA: SampledReplica = { cluster: 'c', region: null, model: null, pool: null, replica: 'r-0', rank: null }
const T0 = 1_795_320_000_000_000_000n
const SECOND = 1_000_000_000n
const page = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

function rates(sample: EngineSample): (number | null)[] {
  return Object.entries(sample).flatMap(([key, value]) => (key.endsWith('_per_second') ? [value as number | null] : []))
}

const FOLDERS = readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter((entry) => entry.isDirectory())
const PAGES = FOLDERS.flatMap(({ name }) => {
  const files = (() => {
    try {
      return readdirSync(new URL(`${name}/fixtures`, import.meta.url))
    } catch {
      return []
    }
  })()
  return files.filter((file) => file.endsWith('.prom')).map((file) => ({ folder: name, file }))
})

describe('every recorded page', () => {
  test('there are pages of every engine and gateway that has one', () => expect(new Set(PAGES.map(({ folder }) => folder)).size).toBe(8))

  test.each(PAGES)('$folder $file is recognised, twice the same', ({ folder, file }) => {
    const text = page(`${folder}/fixtures/${file}`)
    const sampler = createSampler(REPLICA)
    const first = sampler.sample(text, T0)
    // A Dynamo worker passes its engine's families through and is read as that engine.
    expect(sampler.engine()).toBe(file.startsWith('metrics-worker-backend') ? 'vllm' : folder)
    expect(first.length).toBeGreaterThan(0)
    for (const sample of first) {
      expect(rates(sample).every((rate) => rate === null)).toBe(true)
      if (sample.kv_usage !== null) expect(sample.kv_usage).toBeLessThanOrEqual(1)
    }
    const second = sampler.sample(text, T0 + SECOND)
    expect(second.map(({ rank }) => rank)).toEqual(first.map(({ rank }) => rank))
    for (const sample of second) for (const rate of rates(sample)) expect(rate === null || rate === 0).toBe(true)
  })
})

describe('vLLM', () => {
  test('a loaded server: 16 running, 7 waiting, its model, and nothing missing', () => {
    const sampler = createSampler(REPLICA)
    const [sample] = sampler.sample(page('vllm/fixtures/metrics-loaded-0.32.0.prom'), T0)
    expect(sample).toMatchObject({
      engine: 'vllm',
      engine_version: '>=0.32',
      running: 16,
      waiting: 7,
      replica: 'r-0',
      rank: '0',
      cluster: 'c',
    })
    expect(sample!.model).toContain('tiny-qwen3')
    expect(sampler.missing()).toEqual([])
  })

  test('rates are the differences of counters over time', () => {
    const sampler = createSampler(REPLICA)
    const [before, after] = ['before', 'after'].map((name) => page(`vllm/fixtures/metrics-truth-${name}-0.32.0.prom`)) as [string, string]
    const total = (text: string, name: string) => Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)![1])
    sampler.sample(before, T0)
    const [sample] = sampler.sample(after, T0 + 100n * SECOND)
    const gained = (name: string) => total(after, name) - total(before, name)
    expect(sample!.output_tokens_per_second).toBeCloseTo(gained('vllm:generation_tokens_total') / 100, 9)
    expect(sample!.prompt_tokens_per_second).toBeCloseTo(gained('vllm:prompt_tokens_total') / 100, 9)
    expect(sample!.requests_per_second).toBeCloseTo(1.86, 9)
    const step = gained('vllm:inter_token_latency_seconds_sum') / gained('vllm:inter_token_latency_seconds_count')
    expect(sample!.step_seconds).toBeCloseTo(step, 9)
  })

  test('a counter that went back is a restart: no rate, and the next one is right again', () => {
    const sampler = createSampler(REPLICA)
    const text = (tokens: number) =>
      `vllm:generation_tokens_total{engine="0",model_name="m"} ${tokens}\nvllm:num_requests_running{engine="0"} 1\n`
    sampler.sample(text(100), T0)
    expect(sampler.sample(text(20), T0 + SECOND)[0]!.output_tokens_per_second).toBeNull()
    expect(sampler.sample(text(50), T0 + 2n * SECOND)[0]!.output_tokens_per_second).toBe(30)
  })

  test('two data-parallel engines are two samples', () => {
    const samples = createSampler(REPLICA).sample(page('vllm/fixtures/metrics-dp2-loaded-0.32.0.prom'), T0)
    expect(samples.map(({ rank }) => rank)).toEqual(['0', '1'])
  })

  test('speculation is drafted and accepted, preemptions are counted', () => {
    const sampler = createSampler(REPLICA)
    sampler.sample(page('vllm/fixtures/metrics-specdecode-idle-0.32.0.prom'), T0)
    const [speculating] = sampler.sample(page('vllm/fixtures/metrics-specdecode-0.32.0.prom'), T0 + SECOND)
    expect(speculating!.drafted_per_second!).toBeGreaterThan(speculating!.accepted_per_second!)
    expect(speculating!.accepted_per_second!).toBeGreaterThan(0)
    const preempting = createSampler(REPLICA)
    preempting.sample(page('vllm/fixtures/metrics-deepseek-idle-0.32.0.prom'), T0)
    expect(preempting.sample(page('vllm/fixtures/metrics-preemption-0.32.0.prom'), T0 + SECOND)[0]!.preemptions_per_second).toBe(6)
  })

  test.each([
    ['vllm:gpu_cache_usage_perc', 'vllm:kv_cache_usage_perc', 'kv_usage'],
    ['vllm:gpu_prefix_cache_hits_total', 'vllm:prefix_cache_hits_total', 'cached_tokens_per_second'],
    ['vllm:time_per_output_token_seconds_sum', 'vllm:inter_token_latency_seconds_sum', 'step_seconds'],
  ] as const)('the older name %s is read as %s', (older, newer, field) => {
    const rename = (text: string) =>
      text
        .replaceAll(newer, older)
        .replaceAll(
          'vllm:inter_token_latency_seconds_count',
          newer.includes('inter_token') ? 'vllm:time_per_output_token_seconds_count' : '$&',
        )
        .replaceAll(/^vllm:prompt_tokens_cached_total.*$/gm, '')
    const [before, after] = ['before', 'after'].map((name) => page(`vllm/fixtures/metrics-truth-${name}-0.32.0.prom`)) as [string, string]
    const now = createSampler(REPLICA)
    now.sample(rename(before), T0)
    const then = createSampler(REPLICA)
    then.sample(before.replaceAll(/^vllm:prompt_tokens_cached_total.*$/gm, ''), T0)
    const [old] = now.sample(rename(after), T0 + SECOND)
    const [recent] = then.sample(after.replaceAll(/^vllm:prompt_tokens_cached_total.*$/gm, ''), T0 + SECOND)
    expect(old![field]).not.toBeNull()
    expect(old![field]).toBe(recent![field])
    expect(now.missing()).toEqual([])
  })

  test('a metric that should be there and is not is named', () => {
    const sampler = createSampler(REPLICA)
    const text = page('vllm/fixtures/metrics-loaded-0.32.0.prom').replaceAll('vllm:num_preemptions_total', 'vllm:renamed')
    sampler.sample(text, T0)
    expect(sampler.missing()).toEqual(['vllm:num_preemptions_total'])
  })
})

describe('SGLang', () => {
  test('absent is not zero, and not missing before the first request', () => {
    const sampler = createSampler(REPLICA)
    const [sample] = sampler.sample(page('sglang/fixtures/metrics-idle-0.5.23.prom'), T0)
    expect(sample).toMatchObject({ engine: 'sglang', running: null, waiting: null, kv_usage: null })
    expect(sampler.missing()).toEqual([])
  })

  test('a loaded server, the same through the gateway’s spelling', () => {
    const text = page('sglang/fixtures/metrics-loaded-0.5.23.prom')
    const [direct] = createSampler(REPLICA).sample(text, T0)
    expect(direct).toMatchObject({ running: 16, waiting: 7, kv_usage: 0.31, pool: 'both', model: 'tiny-qwen3', rank: null })
    const [relayed] = createSampler(REPLICA).sample(text.replaceAll('sglang:', 'sglang_'), T0)
    expect({ ...relayed, engine_version: null }).toEqual({ ...direct, engine_version: null })
  })

  test('prefill and decode servers name their pool', () => {
    expect(createSampler(REPLICA).sample(page('sglang/fixtures/metrics-prefill-loaded-0.5.23.prom'), T0)[0]!.pool).toBe('prefill')
    expect(createSampler(REPLICA).sample(page('sglang/fixtures/metrics-decode-loaded-0.5.23.prom'), T0)[0]!.pool).toBe('decode')
  })
})

describe('llama.cpp and pages of nobody', () => {
  test('llama.cpp: two slots busy, ten requests deferred', () => {
    expect(createSampler(REPLICA).sample(page('llama-cpp/fixtures/metrics-busy-2026.10.11549.prom'), T0)).toMatchObject([
      { running: 2, waiting: 10 },
    ])
  })

  test.each(['', 'up 1\n', '<html>404</html>', 'process_start_time_seconds 1\n'])(
    'of %j nothing is claimed but that it answered',
    (text) => {
      const sampler = createSampler(REPLICA)
      expect(sampler.sample(text, T0)).toMatchObject([{ up: true, engine: null, running: null, replica: 'r-0' }])
      expect(sampler.missing()).toEqual([])
    },
  )
})

describe('a page that does not come', () => {
  test('the replica is down, under the names of its last page', () => {
    const sampler = createSampler(REPLICA)
    const [before] = sampler.sample(page('vllm/fixtures/metrics-loaded-0.32.0.prom'), T0)
    const [sample] = sampler.down(T0 + SECOND)
    expect(sample).toMatchObject({ up: false, unix_ns: T0 + SECOND, cluster: 'c', replica: 'r-0', running: null, waiting: null })
    expect([sample?.model, sample?.engine, sample?.engine_version]).toEqual([before?.model, before?.engine, before?.engine_version])
    expect(sample?.model).not.toBeNull()
  })

  test('one that never came is known by its configuration alone', () => {
    const [sample] = createSampler({ ...REPLICA, model: 'm' }).down(T0)
    expect(sample).toMatchObject({ up: false, model: 'm', engine: null, replica: 'r-0' })
  })
})
