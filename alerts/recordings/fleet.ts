// Recordings about models, phases and replicas that cause rules and boards read: rates and quantiles of five minutes, and what is
// usual over seven days.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { PhaseId } from '@longpole/model/phase'
import { histogramQuantile, select, series } from '../promql.ts'
import type { RecordingGroup, RecordingRule } from '../rule.ts'

const MODEL = 'cluster, model'
const PREFILL: PhaseId = 'engine.prefill'

export function fleetRecordings(): RecordingGroup[] {
  return [
    { name: 'longpole-phases', interval: '30s', rules: [...phases(), ...replicas()] },
    { name: 'longpole-models', interval: '30s', rules: [...latencies(), ...caches(), ...engines()] },
    { name: 'longpole-usual', interval: '2m', rules: usual() },
  ]
}

function phases(): RecordingRule[] {
  const by = `sum by (${MODEL}, phase)`
  return [
    { record: RECORDINGS.phaseSecondsRate, expr: `${by} (rate(${series(METRICS.phaseSeconds, 'sum')}[5m]))` },
    { record: RECORDINGS.phaseCountRate, expr: `${by} (rate(${series(METRICS.phaseSeconds, 'count')}[5m]))` },
    { record: RECORDINGS.phaseMeanSeconds, expr: `${RECORDINGS.phaseSecondsRate}\n/\n(${RECORDINGS.phaseCountRate} > 0)` },
    { record: RECORDINGS.phaseP95Seconds, expr: histogramQuantile(0.95, METRICS.phaseSeconds, `${MODEL}, phase`, '5m') },
  ]
}

function replicas(): RecordingRule[] {
  const by = `sum by (${MODEL}, replica, phase)`
  const seconds = `${by} (rate(${series(METRICS.replicaPhaseSeconds, 'sum')}[5m]))`
  return [
    { record: RECORDINGS.replicaPhaseCountRate, expr: `${by} (rate(${series(METRICS.replicaPhaseSeconds, 'count')}[5m]))` },
    { record: RECORDINGS.replicaPhaseMeanSeconds, expr: `${seconds}\n/\n(${RECORDINGS.replicaPhaseCountRate} > 0)` },
  ]
}

function latencies(): RecordingRule[] {
  const quantiles = ['50', '95', '99'] as const
  const share = { '50': 0.5, '95': 0.95, '99': 0.99 }
  return [
    { record: RECORDINGS.requestRate, expr: `sum by (${MODEL}) (rate(${METRICS.requestsTotal.name}[5m]))` },
    ...quantiles.map((quantile) => ({
      record: RECORDINGS.ttftQuantile(quantile),
      expr: histogramQuantile(share[quantile], METRICS.ttftSeconds, MODEL, '5m'),
    })),
    ...quantiles.map((quantile) => ({
      record: RECORDINGS.tpotQuantile(quantile),
      expr: histogramQuantile(share[quantile], METRICS.tpotSeconds, MODEL, '5m'),
    })),
    ...(['50', '99'] as const).map((quantile) => ({
      record: RECORDINGS.itlQuantile(quantile),
      expr: histogramQuantile(share[quantile], METRICS.itlSeconds, MODEL, '5m'),
    })),
  ]
}

function caches(): RecordingRule[] {
  const tokens = (kind: string) => `sum by (${MODEL}) (rate(${select(METRICS.tokensTotal, { kind })}[5m]))`
  // Without a cached token there is no cached series: then every prompt token was computed.
  const cached = `(${tokens('cached')} or 0 * ${tokens('prompt')})`
  const prefill = `max by (${MODEL}) (${select(RECORDINGS.phaseSecondsRate, { phase: PREFILL })})`
  return [
    { record: RECORDINGS.cacheHitRatio, expr: `${cached}\n/\n(${tokens('prompt')} > 0)` },
    {
      record: RECORDINGS.prefillSecondsPerUncachedKilotoken,
      expr: `1000 *\n${prefill}\n/\n((${tokens('prompt')} - ${cached}) > 0)`,
    },
  ]
}

function engines(): RecordingRule[] {
  return [
    { record: RECORDINGS.engineWaiting, expr: `sum by (${MODEL}) (${METRICS.engineWaiting.name})` },
    { record: RECORDINGS.engineRunningMean, expr: `avg by (${MODEL}) (${METRICS.engineRunning.name})` },
  ]
}

function usual(): RecordingRule[] {
  return [
    {
      record: RECORDINGS.prefillSecondsPerUncachedKilotokenMedian,
      expr: `quantile_over_time(0.5, ${RECORDINGS.prefillSecondsPerUncachedKilotoken}[7d])`,
    },
    { record: RECORDINGS.tpotMedianSeconds, expr: `quantile_over_time(0.5, ${RECORDINGS.tpotQuantile('95')}[7d])` },
    { record: RECORDINGS.engineRunningMeanUsual, expr: `quantile_over_time(0.9, ${RECORDINGS.engineRunningMean}[7d])` },
  ]
}
