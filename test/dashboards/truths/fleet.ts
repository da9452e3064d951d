// Truths of the boards about the whole fleet: Fleet overview, Where the time goes, Bottlenecks.
import { LATENCY_SECONDS, TOKEN_SECONDS } from '@longpole/model/conventions/buckets'
import { formatSlice } from '@longpole/model/finding'
import { endOf } from '../../metrics/data-set.ts'
import { before, combine, fold, minus, orZero, over, share, top } from '../oracle/combine.ts'
import { frequency, mean, perSecond, quantile } from '../oracle/of-events.ts'
import { samplesAt } from '../oracle/of-samples.ts'
import type { Moment, Row, Truth } from '../oracle/truth.ts'
import {
  classPhases,
  e2e,
  inPhase,
  isBeforeFirstToken,
  judgedAs,
  only,
  phasePerRequest,
  phases,
  replicaPhases,
  requests,
  tokens,
  tpot,
  ttft,
} from '../sources.ts'
import type { PanelTruths } from './index.ts'

const QUANTILES = [0.5, 0.95, 0.99]
export const ttftQuantiles = QUANTILES.map((q) => quantile(q, ttft, LATENCY_SECONDS))
export const tpotQuantiles = QUANTILES.map((q) => quantile(q, tpot, TOKEN_SECONDS))

const bad = frequency(judgedAs({ result: 'bad' }), ['model', 'slo'])
const all = frequency(judgedAs({}), ['model', 'slo'])
const badShare = share(bad, all)
const wide =
  (truth: Truth): Truth =>
  (moment) =>
    truth(moment.widen(1_800))

/** The open findings with the labels of longpole_finding_info, best first, at most three of one model and objective. */
function findings(read: (finding: ReturnType<Moment['fleet']['findings']>[number]) => number | null | undefined): Truth {
  return ({ fleet, to }) => {
    const ranks = new Map<string, number>()
    return fleet.findings(to).flatMap((finding): Row[] => {
      const cluster = finding.slice.cluster?.length === 1 ? finding.slice.cluster[0] : undefined
      const place = JSON.stringify([cluster, finding.model, finding.target.slo])
      const rank = (ranks.get(place) ?? 0) + 1
      ranks.set(place, rank)
      const value = read(finding)
      if (rank > 3 || value === null || value === undefined) return []
      const change = finding.changes[0]?.event
      const labels = {
        cluster,
        model: finding.model,
        slo: finding.target.slo,
        rank: String(rank),
        finding: finding.id,
        verdict: finding.verdict,
        phase: finding.phases[0]?.phase,
        slice: formatSlice(finding.slice),
        mechanism: finding.mechanism?.name,
        confidence: finding.confidence,
        change: change === undefined ? null : `${change.kind}: ${change.title}`,
      }
      const known = Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '')
      return [{ labels: Object.fromEntries(known), value }]
    })
  }
}

const FINDING_LABELS = ['cluster', 'model', 'slo', 'rank', 'phase', 'slice']
const ofFinding = (truth: Truth): Truth => fold('sum', truth, FINDING_LABELS)
const findingRows = [
  findings(({ share_explained }) => share_explained?.value),
  findings(({ onset }) => (onset === null ? null : Date.parse(onset.at))),
  findings(({ bad_requests }) => bad_requests),
]

const inFlight: Truth = ({ fleet, to }) =>
  fleet.records
    .filter((record) => Number(record.start_unix_ns) / 1e9 <= to && Number(endOf(record)) / 1e9 > to)
    .map((record) => {
      const value = to - Number(record.start_unix_ns) / 1e9
      const phase = record.ttft !== null && value > record.ttft ? 'engine.decode' : 'engine.queue'
      const known = Object.entries({ cluster: record.cluster, model: record.model, replica: record.replica, phase })
      return { labels: Object.fromEntries(known.filter((entry): entry is [string, string] => entry[1] !== null && entry[1] !== '')), value }
    })
const PLACE = ['cluster', 'model', 'replica', 'phase']
const longest = top(5, fold('max', inFlight, PLACE))
const countOfLongest = combine(fold('count', inFlight, PLACE), longest, (count) => count)

const down: Truth = ({ fleet, to }) => {
  const samples = samplesAt(fleet, to)
  return [{ labels: {}, value: samples.filter(({ up }) => !up).length }]
}

const failed = only(requests, ({ record }) => ['error', 'timeout', 'rejected'].includes(record.outcome))
const engineTime: Truth = (moment) => {
  const seconds = perSecond(
    inPhase(replicaPhases, (phase) => phase.startsWith('engine.')),
    ['replica'],
  )
  const most = fold('max', frequency(replicaPhases, ['replica', 'phase']), ['replica'])
  return over(seconds, most)(moment)
}

export const fleetOverview: PanelTruths = {
  'What is wrong now': findingRows,
  'Slower than usual': 'recording rules; test/dashboards/faults.ts holds what it names against the truth of faults',
  'Waiting longest': [longest, countOfLongest],
  'Open requests': [fold('count', inFlight)],
  'Oldest open request': [fold('max', inFlight)],
  'Engines down': [down],
  'Localizer looked': 'age of the last round: the clock of the query against the clock of the hub',
  'Attainment by model and objective': [
    wide(share(frequency(judgedAs({ result: 'good' }), ['model', 'slo']), all)),
    ({ fleet, to, from }) =>
      all({ fleet, to, from: from - 3_600 } as Moment).map(({ labels }) => ({
        labels,
        value: fleet.objectives.find(({ slo }) => slo === labels.slo)?.objective ?? Number.NaN,
      })),
    null,
  ],
  'Share of bad requests': [badShare],
  'Requests by outcome': [frequency(requests, ['outcome'])],
  TTFT: ttftQuantiles,
  'Time per output token': tpotQuantiles,
  'Traffic by model': [frequency(requests, ['model'])],
  'Errors by class': [frequency(failed, ['error_class'])],
  Goodput: [orZero(frequency(judgedAs({ slo: 'goodput', result: 'good' }), ['model']), frequency(judgedAs({ slo: 'goodput' }), ['model']))],
}

const perBadRequest = (result: string, keep: (phase: string) => boolean = () => true): Truth =>
  over(
    perSecond(inPhase(classPhases(result), keep), ['phase']),
    frequency(inPhase(classPhases(result), (phase) => phase === 'unattributed')),
    [],
  )
const whole = fold('sum', phasePerRequest())

export const whereTheTimeGoes: PanelTruths = {
  'Mean end-to-end time by phase': [phasePerRequest()],
  'Mean time to first token by phase': [phasePerRequest([], isBeforeFirstToken)],
  'Bad requests: time by phase': [perBadRequest('bad')],
  'Good requests: time by phase': [perBadRequest('good')],
  'Bad requests: before the first token': [perBadRequest('bad', isBeforeFirstToken)],
  'Growth against an hour ago': [minus(phasePerRequest(), before(phasePerRequest()))],
  'Growth against yesterday': [minus(phasePerRequest(), before(phasePerRequest()))],
  'Mean end-to-end, today and yesterday': [whole, before(whole)],
  'Mean time by model': [mean(e2e, ['model'])],
  'Mean time by region': [mean(e2e, ['region'])],
  'Mean time by tenant class': [mean(e2e, ['tenant_class'])],
  'Mean time by prompt length': [mean(e2e, ['prompt_class'])],
}

export const bottlenecks: PanelTruths = {
  'What is wrong now': findingRows,
  'Regression explained': [ofFinding(findings(({ share_explained }) => share_explained?.value))],
  'Bad requests by finding': [ofFinding(findings(({ bad_requests }) => bad_requests))],
  'Phase means': [mean(phases, ['phase'])],
  'Mean time in the engine by replica': [top(10, engineTime)],
  'Share of bad requests': [badShare],
  Workload: [perSecond(tokens('prompt', 'cached', 'output'), ['kind'])],
}
export { engineTime }
