// Truths of the boards about engines: queue, prefill, decode, disaggregation, ranks, replicas, scaling, cost.
import { LATENCY_SECONDS, TOKEN_SECONDS } from '@longpole/model/conventions/buckets'
import type { EngineSample } from '@longpole/model/engine-sample'
import { endOf } from '../../metrics/data-set.ts'
import { combine, fold, minus, orZero, over, plus, scaled, share, top, where } from '../oracle/combine.ts'
import { cumulative, frequency, mean, perSecond, quantile } from '../oracle/of-events.ts'
import { engineRate, gauge, samplesAt } from '../oracle/of-samples.ts'
import type { Row, Truth } from '../oracle/truth.ts'
import {
  cachedByTier,
  cold,
  disaggregated,
  gaps,
  inPhase,
  isPhase,
  longestGap,
  only,
  phases,
  replicaPhases,
  requests,
  stalls,
  tokens,
  transferBytes,
  transfers,
} from '../sources.ts'
import { engineTime, tpotQuantiles } from './fleet.ts'
import type { PanelTruths } from './index.ts'

const running = ({ running }: EngineSample) => running
const waiting = ({ waiting }: EngineSample) => waiting
const kv = ({ kv_usage }: EngineSample) => kv_usage
const step = ({ step_seconds }: EngineSample) => step_seconds
const one = () => 1
const ranked = ({ rank }: EngineSample) => rank !== null && rank !== ''
const output = engineRate((sample) => sample.output_tokens_per_second, ['model'])
const preemptions = (by: string[]) => engineRate((sample) => sample.preemptions_per_second, by)

const phaseQuantiles = (shares: readonly number[], matches: (phase: string) => boolean): Truth[] =>
  shares.map((q) => quantile(q, inPhase(phases, matches), LATENCY_SECONDS))

/** Replicas that are or were there within the hour, up or not: what `longpole_engine_up` has a series of. */
const known =
  (by: readonly string[]): Truth =>
  ({ fleet, to }) => {
    const replicas = new Map<string, EngineSample>()
    for (const sample of fleet.samples) if (Number(sample.unix_ns) / 1e9 <= to) replicas.set(`${sample.replica} ${sample.rank}`, sample)
    return fold(
      'count',
      () =>
        [...replicas.values()].map((sample) => ({
          labels: Object.fromEntries(by.map((name) => [name, String(sample[name as keyof EngineSample] ?? '')])),
          value: 1,
        })),
      by,
    )({ fleet, to } as never)
  }

const load = gauge('sum', running, ['model', 'replica'])
const deviation: Truth = (moment) => {
  const groups = new Map<string, number[]>()
  for (const { labels, value } of load(moment)) groups.set(labels.model ?? '', [...(groups.get(labels.model ?? '') ?? []), value])
  return [...groups].map(([model, values]): Row => {
    const average = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length
    return { labels: { model }, value: Math.sqrt(variance) / average }
  })
}

export const queueAndCapacity: PanelTruths = {
  'Time in queue': phaseQuantiles([0.5, 0.95, 0.99], (phase) => phase.startsWith('engine.queue')),
  'Requests waiting and running': [gauge('sum', waiting), gauge('sum', running)],
  'Waiting by replica': [top(10, gauge('sum', waiting, ['replica']))],
  'Spread of load': [deviation],
  'KV cache in use': [top(10, gauge('max', kv, ['replica']))],
  'Gateway queue': phaseQuantiles([0.5, 0.99], isPhase('gateway.queue')),
  'Output tokens per second': [output],
  'Output tokens per second and replica': [over(output, known(['model']))],
  'Batch size against step time': [gauge('avg', running, ['model']), scaled(1_000, gauge('avg', step, ['model']))],
}

const prompt = perSecond(tokens('prompt'), ['model'])
const cached = perSecond(tokens('cached'), ['model'])

export const prefillAndKvCache: PanelTruths = {
  'Prefill time': phaseQuantiles([0.5, 0.95, 0.99], isPhase('engine.prefill')),
  'Prefill seconds per 1,000 uncached tokens': [
    scaled(1_000, over(perSecond(inPhase(phases, isPhase('engine.prefill')), ['model']), minus(prompt, cached))),
    null,
  ],
  'Prefill by replica': [top(10, mean(inPhase(replicaPhases, isPhase('engine.prefill')), ['replica']))],
  'Hit ratio': [over(cached, prompt)],
  'Cached tokens by tier': [perSecond(cachedByTier, ['tier'])],
  'Uncached prompt tokens': [minus(prompt, cached)],
  'Hit ratio by replica': [
    top(
      -10,
      over(
        engineRate((sample) => sample.cached_tokens_per_second, ['replica']),
        engineRate((sample) => sample.prompt_tokens_per_second, ['replica']),
      ),
    ),
  ],
  'Why hits fall: evictions and pressure': [preemptions([]), gauge('avg', kv)],
  'Why hits fall: cold requests': [frequency(cold, ['kind'])],
}

export const decode: PanelTruths = {
  'Time per output token': tpotQuantiles,
  'Gaps between chunks': [0.5, 0.99].map((q) => quantile(q, gaps, TOKEN_SECONDS)),
  'Streams that stalled': [top(10, frequency(stalls(), ['replica']))],
  'Longest gap of a request': [cumulative(longestGap, LATENCY_SECONDS)],
  'Step time per running request': [
    top(
      10,
      over(
        gauge('avg', step, ['replica']),
        where(gauge('avg', running, ['replica']), (value) => value > 0),
      ),
    ),
  ],
  'Acceptance of drafted tokens': [
    over(
      engineRate((sample) => sample.accepted_per_second, ['model']),
      where(
        engineRate((sample) => sample.drafted_per_second, ['model']),
        (value) => value > 0,
      ),
    ),
  ],
  Preemptions: [top(10, preemptions(['replica']))],
  'Decode by replica': [top(10, mean(inPhase(replicaPhases, isPhase('engine.decode')), ['replica']))],
}

const PAIR = ['source', 'destination']
const failedTransfers = only(disaggregated, ({ record }) => record.outcome === 'error' && /kv|transfer/i.test(record.error_class ?? ''))

export const disaggregation: PanelTruths = {
  'Waiting by pool': [gauge('sum', waiting, ['pool'])],
  'Running per replica by pool': [gauge('avg', running, ['pool'])],
  'KV cache by pool': [gauge('avg', kv, ['pool'])],
  Pairs: [
    mean(transfers, PAIR),
    quantile(0.99, transfers, LATENCY_SECONDS, PAIR),
    frequency(transfers, PAIR),
    over(perSecond(transferBytes, PAIR), perSecond(transfers, PAIR)),
  ],
  'Transfer time': [0.5, 0.95, 0.99].map((q) => quantile(q, transfers, LATENCY_SECONDS)),
  Transport: [frequency(transfers, ['transport'])],
  'Failed transfers': [share(frequency(failedTransfers, ['model']), frequency(disaggregated, ['model']))],
}

const byRank = ['replica', 'rank']

export const expertsAndRanks: PanelTruths = {
  'Step time by rank': [top(16, gauge('avg', step, byRank, ranked))],
  'Expert load of the busiest over the mean': [
    top(
      16,
      gauge('max', (sample) => sample.expert_load_ratio, byRank),
    ),
  ],
  'Imbalance of running requests': [
    over(
      gauge('max', running, ['replica'], ranked),
      gauge('avg', running, ['replica'], (sample) => ranked(sample) && (sample.running ?? 0) > 0),
    ),
  ],
  'Waiting by rank': [top(16, gauge('sum', waiting, byRank, ranked))],
}

const openByPhase: Truth = ({ fleet, to }) => {
  const counts = new Map<string, number>()
  for (const record of fleet.records) {
    const start = Number(record.start_unix_ns) / 1e9
    if (start > to || Number(endOf(record)) / 1e9 <= to) continue
    const phase = record.ttft !== null && to - start > record.ttft ? 'engine.decode' : 'engine.queue'
    counts.set(phase, (counts.get(phase) ?? 0) + 1)
  }
  return [...counts].map(([phase, value]) => ({ labels: { phase }, value }))
}

const INFO = ['replica', 'engine', 'engine_version', 'region']
const info: Truth = ({ fleet, to }) => {
  const replicas = new Map<string, EngineSample>()
  for (const sample of fleet.samples) if (Number(sample.unix_ns) / 1e9 <= to) replicas.set(sample.replica, sample)
  return [...replicas.values()].map((sample) => ({
    labels: Object.fromEntries(
      INFO.map((name) => [name, String(sample[name as keyof EngineSample] ?? '')]).filter(([, value]) => value !== ''),
    ),
    value: 1,
  }))
}
const up: Truth = ({ fleet, to }) => {
  const fresh = new Set(
    samplesAt(fleet, to)
      .filter((sample) => sample.up)
      .map(({ replica }) => replica),
  )
  return info({ fleet, to } as never).map(({ labels }) => ({
    labels: { replica: labels.replica as string },
    value: fresh.has(labels.replica as string) ? 1 : 0,
  }))
}

export const replica: PanelTruths = {
  'Phase against peers': [over(mean(replicaPhases, ['phase']), mean(replicaPhases, ['phase']))],
  'Phases of the chosen replicas': [mean(replicaPhases, ['phase'])],
  'Engine time by replica': [top(15, engineTime)],
  'What runs where': [info, up, gauge('min', (sample) => sample.age_seconds, ['replica'])],
  'Running and waiting': [gauge('sum', running, ['replica']), gauge('sum', waiting, ['replica'])],
  'KV cache and preemptions': [gauge('max', kv, ['replica']), preemptions(['replica'])],
  'In flight by phase': [openByPhase],
  'Failed requests': [
    frequency(
      only(requests, ({ record }) => record.outcome !== 'ok' && record.replica !== null),
      ['outcome'],
    ),
  ],
  'GPU clock': [
    top(
      16,
      gauge('min', (sample) => sample.gpu_clock_hz, byRank),
    ),
  ],
}

const upByModel: Truth = (moment) =>
  fold(
    'sum',
    ({ fleet, to }) => {
      const newest = new Map<string, EngineSample>()
      for (const sample of fleet.samples) if (Number(sample.unix_ns) / 1e9 <= to) newest.set(`${sample.replica} ${sample.rank}`, sample)
      return [...newest.values()].map((sample) => ({
        labels: { model: sample.model ?? '' },
        value: sample.up && Number(sample.unix_ns) / 1e9 >= to - 30 ? 1 : 0,
      }))
    },
    ['model'],
  )(moment)
const expected: Truth = ({ fleet, to }) => {
  const names = new Map<string, Set<string>>()
  for (const sample of fleet.samples) {
    if (Number(sample.unix_ns) / 1e9 > to) continue
    const model = sample.model ?? ''
    names.set(model, (names.get(model) ?? new Set()).add(sample.replica))
  }
  return [...names].map(([model, replicas]) => ({ labels: { model }, value: replicas.size }))
}

export const coldStartAndScaling: PanelTruths = {
  'Replicas up against seen in the last hour': [upByModel, expected],
  'Youngest replica': [gauge('min', (sample) => sample.age_seconds, ['model'])],
  'Cold requests': [frequency(cold, ['model', 'kind'])],
  'Load per replica': [over(plus(gauge('sum', running, ['model']), gauge('sum', waiting, ['model'])), known(['model']))],
  'Requests by model': [frequency(requests, ['model'])],
}

const price: Truth = ({ fleet }) => Object.entries(fleet.prices).map(([model, value]) => ({ labels: { model }, value }))
const spend = combine(known(['model']), price, (replicas, hourly) => replicas * hourly)
const outputTokens = perSecond(tokens('output'), ['model'])
const idle = where(gauge('sum', running, ['replica', 'rank', 'model']), (value) => value === 0)
const busy = gauge('count', running, ['model'])

export const cost: PanelTruths = {
  'Spend per hour': [fold('sum', spend)],
  'Per million output tokens': [scaled(1e6 / 3_600, over(fold('sum', spend), fold('sum', outputTokens)))],
  'Idle replicas': [over(orZero(fold('count', idle), gauge('count', one)), gauge('count', running))],
  'Per million output tokens by model': [scaled(1e6 / 3_600, over(spend, outputTokens))],
  'Per million tokens, prompt and output': [scaled(1e6 / 3_600, over(spend, plus(prompt, outputTokens)))],
  'Saved by the cache': [cached],
  'Idle share over time': [over(orZero(fold('count', idle, ['model']), busy), busy)],
}
