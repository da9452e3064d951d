// Recordings behind the ladder: shares of bad requests over nine windows, error budgets and burn rates, under Sloth's names so that
// Sloth's dashboards work unchanged. Rates are summed before they are divided, so a quiet night weighs what it carried.
import { METRICS } from '@longpole/model/conventions/metrics'
import { type BaseWindow, type RatioWindow, RECORDINGS } from '@longpole/model/conventions/recordings'
import { windowSeconds } from '../ladder.ts'
import { errorBudget, type ObjectiveSet } from '../objectives.ts'
import { select } from '../promql.ts'
import type { RecordingGroup, RecordingRule } from '../rule.ts'

const BY = 'sum by (cluster, model, slo)'
const ON = 'on (cluster, model, slo)'

/** Three groups: what pages read every 30 s, what tickets read every 2 minutes, and the budget of the whole period every 4. */
export function sloRecordings(sets: readonly ObjectiveSet[], periodDays: number): RecordingGroup[] {
  return [
    {
      name: 'longpole-slo-rates',
      interval: '30s',
      rules: [
        badRate('1m'),
        ...counted('2m'),
        ...counted('5m'),
        ratio('2m', '2m'),
        ratio('5m', '5m'),
        // The five minutes that end now, ten minutes ago and all between: a quarter of an hour.
        averagedRatio('15m', '5m', '10m'),
        ...(['30m', '1h', '2h', '6h'] as const).map((window) => averagedRatio(window, '5m')),
        { record: RECORDINGS.sliErrorCount('5m'), expr: `${RECORDINGS.sliBadRate('5m')} * ${windowSeconds('5m')}` },
        { record: RECORDINGS.sliErrorCount('15m'), expr: `avg_over_time(${RECORDINGS.sliBadRate('5m')}[10m]) * ${windowSeconds('15m')}` },
        increase('1h'),
        ...objectives(sets),
        { record: RECORDINGS.currentBurnRate, expr: overBudget(RECORDINGS.sliErrorRatio('5m')) },
      ],
    },
    {
      name: 'longpole-slo-windows',
      interval: '2m',
      rules: [
        { record: RECORDINGS.sliBadRate('1h'), expr: `avg_over_time(${RECORDINGS.sliBadRate('5m')}[1h])` },
        { record: RECORDINGS.sliTotalRate('1h'), expr: `avg_over_time(${RECORDINGS.sliTotalRate('5m')}[1h])` },
        increase('6h'),
        ...(['1d', '3d'] as const).flatMap((window) => [averagedRatio(window, '1h'), averagedCount(window)]),
      ],
    },
    {
      name: 'longpole-slo-budgets',
      interval: '4m',
      rules: [
        averagedRatio('30d', '1h', `${periodDays}d`),
        { record: RECORDINGS.periodBurnRate, expr: overBudget(RECORDINGS.sliErrorRatio('30d')) },
        { record: RECORDINGS.budgetRemaining, expr: `1 - ${RECORDINGS.periodBurnRate}` },
      ],
    },
  ]
}

/** Rates from the counters. A service without a bad request has no bad series yet: its share of bad is 0, not unknown. */
function counted(window: BaseWindow): RecordingRule[] {
  const { record, expr: bad } = badRate(window)
  const total = `${BY} (rate(${METRICS.sloRequestsTotal.name}[${window}]))`
  return [
    { record: RECORDINGS.sliTotalRate(window), expr: total },
    { record, expr: `${bad}\nor\n0 * ${total}` },
  ]
}

function badRate(window: BaseWindow): RecordingRule {
  return { record: RECORDINGS.sliBadRate(window), expr: `${BY} (rate(${select(METRICS.sloRequestsTotal, { result: 'bad' })}[${window}]))` }
}

function ratio(window: RatioWindow, base: BaseWindow): RecordingRule {
  const expr = `${RECORDINGS.sliBadRate(base)}\n/\n(${RECORDINGS.sliTotalRate(base)} > 0)`
  return { record: RECORDINGS.sliErrorRatio(window), expr: withSlothLabels(expr), labels: { sloth_window: window } }
}

/** `range` is the range of the average, where the recording is named after another: the error budget's period. */
function averagedRatio(window: RatioWindow, base: BaseWindow, range: string = window): RecordingRule {
  const average = (name: string) => `avg_over_time(${name}[${range}])`
  const expr = `${average(RECORDINGS.sliBadRate(base))}\n/\n(${average(RECORDINGS.sliTotalRate(base))} > 0)`
  return {
    record: RECORDINGS.sliErrorRatio(window),
    expr: withSlothLabels(expr),
    labels: { sloth_window: window === '30d' ? range : window },
  }
}

function increase(window: '1h' | '6h'): RecordingRule {
  return {
    record: RECORDINGS.sliErrorCount(window),
    expr: `${BY} (increase(${select(METRICS.sloRequestsTotal, { result: 'bad' })}[${window}]))`,
  }
}

function averagedCount(window: '1d' | '3d'): RecordingRule {
  return {
    record: RECORDINGS.sliErrorCount(window),
    expr: `avg_over_time(${RECORDINGS.sliBadRate('1h')}[${window}]) * ${windowSeconds(window)}`,
  }
}

/** The promise itself, for every cluster and model that has traffic. The sets' models do not overlap, so `or` only collects. */
function objectives(sets: readonly ObjectiveSet[]): RecordingRule[] {
  const constant = (value: (objective: number) => number) =>
    withSlothLabels(
      sets
        .map(({ slo, objective, matchers }) => `0 * ${select(RECORDINGS.sliTotalRate('5m'), { slo }, matchers)} + ${value(objective)}`)
        .join('\nor\n'),
    )
  return [
    { record: RECORDINGS.objective, expr: constant((objective) => objective) },
    { record: RECORDINGS.errorBudget, expr: constant(errorBudget) },
    { record: RECORDINGS.sloInfo, expr: constant(() => 1), labels: { sloth_mode: 'longpole', sloth_spec: 'prometheus/v1' } },
  ]
}

function overBudget(ratioName: string): string {
  const withoutWindow = `max by (cluster, model, slo, sloth_id, sloth_service, sloth_slo) (${ratioName})`
  return `${withoutWindow}\n/ ${ON} group_left ()\nmax by (cluster, model, slo) (${RECORDINGS.errorBudget})`
}

/** Sloth identifies an objective by service and name; ours are the model and the slo. */
function withSlothLabels(expr: string): string {
  const service = `label_replace(\n${expr},\n"sloth_service", "$1", "model", "(.*)")`
  const slo = `label_replace(${service}, "sloth_slo", "$1", "slo", "(.*)")`
  return `label_join(${slo}, "sloth_id", "-", "model", "slo")`
}
