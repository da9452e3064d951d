// Links of an alert: board, console and silence form, each at the alert's slice and from fifteen minutes before the onset. Bases are
// written in at generation time: Prometheus knows no Grafana.

import { ConsolePath, DASHBOARD_UIDS, type DashboardName } from '@longpole/model/conventions/links'
import { METRICS } from '@longpole/model/conventions/metrics'
import { OF_FINDING, ofFinding, withFinding } from './best-finding.ts'
import { EPOCH, inLink, query } from './template.ts'

export interface LinkBases {
  grafana: string
  console: string
  alertmanager: string
  runbooks: string
}

/** The finding's onset less a quarter of an hour; an hour ago where there is none. Grafana counts milliseconds, the hub seconds. */
function from(unit: 'milliseconds' | 'seconds'): string {
  const scaled = (seconds: string) => (unit === 'seconds' ? seconds : `(${seconds}) * 1000`)
  const hourAgo = `{{ with ${query(scaled('vector(time() - 3600)'))} }}{{ . | first | value | ${EPOCH} }}{{ end }}`
  const onset = query(scaled(`max(${ofFinding(METRICS.findingOnset.name)}) - 900 or vector(time() - 3600)`), ...OF_FINDING)
  return withFinding('1', `{{ with ${onset} }}{{ . | first | value | ${EPOCH} }}{{ end }}`, hourAgo)
}

/** Dimensions of a slice that the boards have as variables. */
const SLICE_VARIABLES = ['region', 'pool', 'replica', 'tenant_class', 'prompt_class']

/** Whether the slice in `.Labels` names exactly one value of the dimension. */
function names(dimension: string): string {
  return `match "(^|,)${dimension}=[^|,]+(,|$)" .Labels.slice`
}

/** `&var-replica=r1` where the finding's slice names one value of the dimension. */
function sliceVariable(dimension: string): string {
  const value = `reReplaceAll "^(.*,)?${dimension}=([^|,]+)(,.*)?$" "$2" .Labels.slice`
  return `{{ if ${names(dimension)} }}&var-${dimension}=${inLink(value)}{{ end }}`
}

/** The board of all phases has no replica to choose: where the finding names one, the replica's own board opens. */
function boardUid(board: DashboardName): string {
  const uid = DASHBOARD_UIDS[board]
  if (board !== 'where-the-time-goes') return uid
  return withFinding('1', `{{ if ${names('replica')} }}${DASHBOARD_UIDS.replica}{{ else }}${uid}{{ end }}`, uid)
}

export function dashboardUrl({ grafana }: LinkBases, board: DashboardName): string {
  const variables = ['cluster', 'model'].map((name) => `&var-${name}=${inLink(`$labels.${name}`)}`).join('')
  // A variable without a value would select nothing, so what the finding names is only there where it does.
  const phase = `{{ if .Labels.phase }}&var-phase=${inLink('.Labels.phase')}{{ end }}`
  const named = phase + SLICE_VARIABLES.map(sliceVariable).join('')
  return `${grafana}/d/${boardUid(board)}?from=${from('milliseconds')}&to=now${variables}${withFinding('1', named, '')}`
}

/** The finding's page, or the first page where there is no finding. */
export function consoleUrl({ console }: LinkBases): string {
  return `${console}${withFinding('1', `${ConsolePath.why('')}${inLink('.Labels.finding')}`, ConsolePath.now)}`
}

/** Requests of the console, filtered; used for the exemplars of a page. */
export function requestsUrl({ console }: LinkBases, parameters: string): string {
  return `${console}${ConsolePath.requests}?model=${inLink('$labels.model')}&from=${from('seconds')}${parameters}`
}

export function silenceUrl({ alertmanager }: LinkBases): string {
  const filter = inLink('printf "{cluster=%q,model=%q}" $labels.cluster $labels.model')
  return `${alertmanager}/#/silences/new?filter=${filter}`
}
