// The card that a page carries: twelve fields by queries over the findings' metrics, in the rule's own annotations, so that there is
// no service between Prometheus and a person that could fail. A field that cannot be filled says why.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { PHASES, type PhaseId } from '@longpole/model/phase'
import { FIRST_ACTIONS } from './actions.ts'
import { OF_FINDING, ofFinding, withFinding } from './best-finding.ts'
import { dashboardUrl, type LinkBases, requestsUrl, silenceUrl } from './links.ts'
import type { AlertContext, AlertDefinition, Variant } from './rule.ts'
import { firstValue, label, query, shown } from './template.ts'

/** Names of the twelve annotations, in the order of the card. */
export const PAGE_FIELDS = [
  'symptom',
  'cause',
  'runner_up',
  'blast_radius',
  'since',
  'changed',
  'slo_status',
  'dashboard_url',
  'exemplars',
  'action',
  'silence_url',
  'data_quality',
] as const
export type PageField = (typeof PAGE_FIELDS)[number]

const SLICE = ['$labels.cluster', '$labels.model']

export function pageFields(definition: AlertDefinition, variant: Variant, { links, periodDays }: AlertContext): Record<PageField, string> {
  return {
    symptom: symptom(definition, variant),
    cause: firstCause(variant.place ?? definition.place),
    runner_up: cause('2', 'n/a: no second finding'),
    blast_radius: blastRadius(variant),
    since: since(),
    changed: changed(),
    slo_status: sloStatus(variant, periodDays),
    dashboard_url: dashboardUrl(links, definition.dashboard),
    exemplars: exemplars(variant, links),
    action: action(definition),
    silence_url: silenceUrl(links),
    data_quality: dataQuality(),
  }
}

/** At most 120 characters. */
function symptom(definition: AlertDefinition, { set, summary = definition.summary }: Variant): string {
  const where = `${label('model', 40)}{{ if $labels.cluster }} in ${label('cluster', 20)}{{ end }}`
  if (set === undefined) return `${where}: ${summary.replace(/\.$/, '').slice(0, 56)}`
  return `${where}: ${set.slo} objective ${set.objective * 100} %, {{ $value | humanizePercentage }} of requests are bad`
}

const field = (name: string, length = 120) => `{{ ${shown(`.Labels.${name}`, length)} }}`

function cause(rank: string, otherwise: string): string {
  const share = firstValue(ofFinding(METRICS.findingShare.name), OF_FINDING, 'humanizePercentage', 'share unknown')
  const phase = `{{ if .Labels.phase }}${field('phase', 30)}{{ else }}${busiestPhase('phase unknown')}{{ end }}`
  const named = `${phase} in {{ if .Labels.slice }}${field('slice')}{{ else }}all of model=${label('model', 60)}{{ end }}`
  const mechanism = `{{ if .Labels.mechanism }}, ${field('mechanism', 60)}{{ end }}`
  const located = `${named}${mechanism}; ${share} of the excess, confidence ${field('confidence', 10)}`
  const other = `not localized: ${field('verdict', 20)}{{ if .Labels.phase }}, most of it in ${field('phase', 30)}{{ end }}{{ if .Labels.slice }}, ${field('slice')}{{ end }}`
  const isLocated = '{{ if or (eq .Labels.verdict "localized") (eq .Labels.verdict "fleet_wide") }}'
  return withFinding(rank, `${isLocated}${located}{{ else }}${other}{{ end }}`, otherwise)
}

/** What the alert knows by itself comes first: what the localizer has open may be of before. */
function firstCause(place: string | undefined): string {
  const found = cause('1', notLocalized())
  return place === undefined ? found : `engine in ${where()}: ${place}. Localizer: ${found}`
}

const where = () => `{{ if $labels.cluster }}cluster=${label('cluster', 40)},{{ end }}model=${label('model', 60)}`

/** Without a finding: why there is none, and what the requests in flight and the errors show by themselves. */
function notLocalized(): string {
  const why = firstValue(
    `time() - max(${METRICS.localizerLastSuccess.name}) < 300`,
    [],
    'printf "no finding is open (last looked %.0f s ago)"',
    'the localizer has not finished a round for five minutes',
  )
  return `not localized: ${why}; seen in ${where()}${openPhase()}${erringReplicas()}`
}

/** In a hang no request ends, so no finding knows a phase; where the requests are that wait is known. */
function busiestPhase(otherwise: string): string {
  return `{{ with ${mostOpen('phase')} }}{{ with first . }}${field('phase', 30)}{{ end }}{{ else }}${otherwise}{{ end }}`
}

/** The phase or replica with the most requests in flight. */
function mostOpen(by: 'phase' | 'replica'): string {
  return query(`topk(1, sum by (${by}) (${METRICS.requestsOpen.name}{cluster=%q,model=%q}) > 0)`, ...SLICE)
}

function openPhase(): string {
  return (
    `{{ with ${mostOpen('phase')} }}{{ with first . }}; most requests in flight are in ${field('phase', 30)} ({{ .Value | humanize }}){{ end }}{{ end }}` +
    `{{ with ${mostOpen('replica')} }}{{ with first . }}{{ if .Labels.replica }}, on replica=${field('replica', 60)} ({{ .Value | humanize }}){{ end }}{{ end }}{{ end }}`
  )
}

function erringReplicas(): string {
  const errors = `topk(1, sum by (error_class) (rate(${METRICS.requestsTotal.name}{cluster=%q,model=%q,outcome=~"error|timeout|rejected"}[5m])) > 0)`
  return `{{ with ${query(errors, ...SLICE)} }}{{ with first . }}; most frequent error: ${field('error_class', 40)}{{ end }}{{ end }}`
}

function blastRadius({ set }: Variant): string {
  const replicas = METRICS.replicaRequestsTotal.name
  const failing = `count(sum by (replica) (rate(${replicas}{cluster=%q,model=%q,outcome=~"error|timeout"}[5m])) > 0.05 * sum by (replica) (rate(${replicas}{cluster=%q,model=%q}[5m])))`
  const all = `count(count by (replica) (${METRICS.engineUp.name}{cluster=%q,model=%q}))`
  const count =
    `${firstValue(failing, [...SLICE, ...SLICE], 'printf "%.0f"', '0')} of ` +
    `${firstValue(all, SLICE, 'printf "%.0f"', 'an unknown number of')} replicas return errors; tenants n/a: no label of metrics, see console_url`
  if (set === undefined) return count
  const slo = ['$labels.cluster', '$labels.model', '$labels.slo']
  const bad = firstValue(`max(${RECORDINGS.sliErrorCount('5m')}{cluster=%q,model=%q,slo=%q}) / 5`, slo, 'humanize', 'an unknown number of')
  const share = firstValue(`max(${RECORDINGS.sliErrorRatio('5m')}{cluster=%q,model=%q,slo=%q})`, slo, 'humanizePercentage', 'unknown')
  return `${bad} bad requests a minute, ${share} of all; ${count}`
}

function since(): string {
  const onset = firstValue(ofFinding(METRICS.findingOnset.name), OF_FINDING, 'humanizeTimestamp', 'n/a: the finding has no onset')
  return withFinding(
    '1',
    onset,
    'n/a: no finding, so no change point; the alert itself began less than a minute before its first notification',
  )
}

function changed(): string {
  const changes = METRICS.changeTimestamp.name
  const near = `topk(3, ${changes} and abs(${changes} - scalar(max(${ofFinding(METRICS.findingOnset.name)}))) < 900)`
  const each = `{{ ${shown('.Labels.kind', 20)} }} ${field('event', 60)} at {{ .Value | humanizeTimestamp }}; `
  const list = `{{ range ${query(near, ...OF_FINDING)} }}${each}{{ else }}no event within 15 minutes of the onset{{ end }}`
  const named = `{{ if .Labels.change }}${field('change', 100)}; {{ end }}${list}`
  return withFinding('1', named, 'n/a: no finding, so no change point to look around')
}

function sloStatus({ set }: Variant, periodDays: number): string {
  if (set === undefined) return 'n/a: this alert watches availability of the path, not an objective'
  const slo = ['$labels.cluster', '$labels.model', '$labels.slo']
  const of = (recording: string) => `max(${recording}{cluster=%q,model=%q,slo=%q})`
  const now = firstValue(`1 - ${of(RECORDINGS.sliErrorRatio('1h'))}`, slo, 'humanizePercentage', 'unknown')
  const left = firstValue(of(RECORDINGS.budgetRemaining), slo, 'humanizePercentage', 'unknown: less than an hour of history')
  const seconds = `clamp_min(${of(RECORDINGS.budgetRemaining)}, 0) / ${of(RECORDINGS.currentBurnRate)} * ${periodDays * 86_400}`
  const gone = firstValue(seconds, [...slo, ...slo], 'humanizeDuration', 'unknown')
  return `objective ${set.objective * 100} %, last hour ${now}; error budget left ${left}, gone in ${gone} at this rate`
}

function exemplars({ set }: Variant, links: LinkBases): string {
  const slo = set === undefined ? '' : `&slo=${set.slo}`
  const url = (parameters: string) => requestsUrl(links, `${slo}${parameters}`)
  return `worst: ${url('&result=bad&sort=worst')} · median bad: ${url('&result=bad&sort=median')} · good peers: ${url('&result=good')}`
}

/** What to do first, by the finding's phase; every text ends where the runbook takes over. */
function action({ name }: AlertDefinition): string {
  const chain = PHASES.map(({ id }, index) => {
    const head = index === 0 ? '{{ if' : '{{ else if'
    return `${head} eq .Labels.phase "${id}" }}${FIRST_ACTIONS[id as PhaseId]}`
  }).join('')
  const otherwise =
    'Open console_url: compare replicas and revisions; if one stands out, drain it, if all, roll back the last change or shed load.'
  return `${withFinding('1', `${chain}{{ else }}${otherwise}{{ end }}`, otherwise)} Then follow ${name}/runbook.md.`
}

function dataQuality(): string {
  const requests = firstValue(
    `sum(increase(${METRICS.requestsTotal.name}{cluster=%q,model=%q}[30m]))`,
    SLICE,
    'humanize',
    'an unknown number of',
  )
  const dropped = firstValue(
    `sum(rate(${METRICS.spansDroppedTotal.name}[30m])) / (sum(rate(${METRICS.spansReceivedTotal.name}[30m])) > 0)`,
    [],
    'humanizePercentage',
    'an unknown share',
  )
  const clock = firstValue(`max(abs(${METRICS.clockOffsetSeconds.name}))`, [], 'humanizeDuration', 'unknown')
  const silent = firstValue(`count(time() - ${METRICS.sidecarSeen.name} > 120)`, [], 'printf "%.0f"', '0')
  return `${requests} requests in 30 minutes, ${dropped} of spans dropped, largest clock offset ${clock} (corrected), ${silent} sidecars silent`
}
