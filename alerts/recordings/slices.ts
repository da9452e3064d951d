// Where the time goes by slice: the mean of every phase for every value of each dimension that metrics know, and what is usual for it.
// One name whatever the dimension, so that a board can rank replicas against regions and classes without asking the localizer.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { PhaseId } from '@longpole/model/phase'
import { select, series } from '../promql.ts'
import type { RecordingGroup, RecordingRule } from '../rule.ts'

/** Labels of every recording here; `slice` is `dimension=value`, or `all` for the whole model. */
const SLICE_LABELS = ['cluster', 'model', 'slice', 'phase'] as const

const TRANSFER: PhaseId = 'kv.transfer'
/** What lies between the client's and the server's time to first token: no single phase, but one owner. */
const NETWORK = 'network'

interface Dimension {
  /** Label of the source; null: the whole model. */
  label: string | null
  /** Name in the slice. */
  name: string
  /** The phase of a source that has no such label. */
  phase?: string
  /** Seconds and number per second, by the label and cluster, model, phase where the source has them. */
  seconds: string
  count: string
}

export function sliceRecordings(): RecordingGroup[] {
  return [
    { name: 'longpole-slices', interval: '30s', rules: [...DIMENSIONS.flatMap(recorded), excessWeight()] },
    {
      name: 'longpole-slices-usual',
      interval: '4m',
      // Without the newest minutes: what began just now is not usual.
      rules: [
        { record: RECORDINGS.slicePhaseUsualSeconds, expr: `quantile_over_time(0.5, ${RECORDINGS.slicePhaseMeanSeconds}[6h] offset 10m)` },
        {
          record: RECORDINGS.slicePhaseUsualMostSeconds,
          expr: `quantile_over_time(0.95, ${RECORDINGS.slicePhaseMeanSeconds}[6h] offset 10m)`,
        },
      ],
    },
  ]
}

/** Beyond the most that is usual by less is noise. */
const LEAST_GROWTH = 1.2
/** A phase that usually takes no time has grown from this, seconds: a queue that was empty. */
const NO_TIME = 0.001
/** Classes of requests are spread over every place: between a class and a place that stand out alike, it is the place. */
const CLASS_PRIOR = 0.8

/**
 * How much a slice stands out in a phase: seconds per second beyond the most that is usual, times the logarithm of the growth, so that of
 * two slices that hold the same extra time the narrower one comes first, and of two that grew as much the one with more requests (the
 * shape of a Poisson scan statistic, Kulldorff 1997). Few slices have one.
 */
function excessWeight(): RecordingRule {
  const weight = (dimensions: string) => {
    const now = select(RECORDINGS.slicePhaseMeanSeconds, { dimension: dimensions })
    const most = `clamp_min(${select(RECORDINGS.slicePhaseUsualMostSeconds, { dimension: dimensions })}, ${NO_TIME})`
    const rate = select(RECORDINGS.slicePhaseCountRate, { dimension: dimensions })
    return `${rate} * (${now} - ${most}) * ln(${now} / ${most} > ${LEAST_GROWTH})`
  }
  const alternatives = [stuck(), weight('!~.*_class'), `${CLASS_PRIOR} * ${weight('=~.*_class')}`]
  return { record: RECORDINGS.slicePhaseExcessWeight, expr: alternatives.join('\nor\n') }
}

/** In flight for so long, and so many times longer than that phase of the replica usually takes, a request hangs. */
const STUCK_SECONDS = 60
const STUCK_GROWTH = 10

/** A replica that hangs ends nothing, so no mean shows it: each of its requests in flight holds a second per second. */
function stuck(): string {
  const by = (operation: string, metric: { name: string }) =>
    named({ label: 'replica', name: 'replica' }, `${operation} by (cluster, model, replica, phase) (${select(metric, { replica: '!=' })})`)
  const usual = select(RECORDINGS.slicePhaseUsualMostSeconds, { dimension: 'replica' })
  const most = `clamp_min(max by (${SLICE_LABELS.join(', ')}) (${usual}), ${NO_TIME})`
  const growth = `((${by('max', METRICS.requestOpenAgeSecondsMax)} > ${STUCK_SECONDS}) / ${most} > ${STUCK_GROWTH})`
  return `label_replace(${by('sum', METRICS.requestsOpen)} * ln(${growth}), "dimension", "replica", "", "")`
}

function rateBy(by: string, metric: string): string {
  return `sum by (${by}) (rate(${metric}[5m]))`
}

function histogram(label: string | null, name: string, by: string, metric: { name: string }): Dimension {
  const labels = [by, label].filter(Boolean).join(', ')
  return { label, name, seconds: rateBy(labels, series(metric, 'sum')), count: rateBy(labels, series(metric, 'count')) }
}

function classes(label: 'tenant_class' | 'prompt_class'): Dimension {
  const by = `cluster, model, phase, ${label}`
  return {
    label,
    name: label,
    seconds: rateBy(by, METRICS.classPhaseSecondsSum.name),
    count: rateBy(by, METRICS.classPhaseSecondsCount.name),
  }
}

function network(label: 'client_region' | 'sdk'): Dimension {
  const by = `model, ${label}`
  const seconds = `(${rateBy(by, series(METRICS.clientTtftSeconds, 'sum'))} - ${rateBy(by, series(METRICS.serverTtftSeconds, 'sum'))})`
  return { label, name: label, phase: NETWORK, seconds, count: rateBy(by, series(METRICS.serverTtftSeconds, 'count')) }
}

const DIMENSIONS: readonly Dimension[] = [
  histogram(null, 'all', 'model, phase', METRICS.phaseSeconds),
  histogram('region', 'region', 'cluster, model, phase', METRICS.phaseSeconds),
  histogram('replica', 'replica', 'cluster, model, phase', METRICS.replicaPhaseSeconds),
  { ...histogram('source', 'prefill_replica', '', METRICS.kvTransferSeconds), phase: TRANSFER },
  classes('tenant_class'),
  classes('prompt_class'),
  network('client_region'),
  network('sdk'),
]

function recorded(dimension: Dimension): RecordingRule[] {
  const count = `${dimension.count} > 0`
  const labels = { dimension: dimension.name }
  return [
    { record: RECORDINGS.slicePhaseCountRate, expr: named(dimension, count), labels },
    { record: RECORDINGS.slicePhaseMeanSeconds, expr: named(dimension, `${dimension.seconds}\n/\n(${count})`), labels },
  ]
}

function named({ label, name, phase }: Pick<Dimension, 'label' | 'name' | 'phase'>, expr: string): string {
  const value = label === null ? '"all", "model"' : `"${name}=$1", "${label}"`
  const sliced = `label_replace(${expr}, "slice", ${value}, "(.+)")`
  const phased = phase === undefined ? sliced : `label_replace(${sliced}, "phase", "${phase}", "", "")`
  return `max by (${SLICE_LABELS.join(', ')}) (${phased})`
}
