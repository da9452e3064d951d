// Links of an alert: board, console and silence form, each at the alert's slice and from fifteen minutes before the onset. Bases are
// written in at generation time: Prometheus knows no Grafana.

import { ConsolePath, DASHBOARD_UIDS, type DashboardName } from '@longpole/model/conventions/links'
import { METRICS } from '@longpole/model/conventions/metrics'
import { EPOCH, inLink, query } from './template.ts'

export interface LinkBases {
  grafana: string
  console: string
  alertmanager: string
  runbooks: string
}

const MODEL = ['$labels.model']
/** The finding's onset in milliseconds less a quarter of an hour; an hour ago where there is none. */
const ONSET = `max(${METRICS.findingOnset.name}{model=%q,rank="1"}) * 1000 - 900000 or vector((time() - 3600) * 1000)`

export function fromMillis(): string {
  return `{{ with ${query(ONSET, ...MODEL)} }}{{ . | first | value | ${EPOCH} }}{{ end }}`
}

export function dashboardUrl({ grafana }: LinkBases, board: DashboardName): string {
  const variables = ['cluster', 'model'].map((name) => `&var-${name}=${inLink(`$labels.${name}`)}`).join('')
  // A variable without a value would select nothing, so phase and slice are only there where a finding names them.
  const finding = `{{ with ${query(`topk(1, ${METRICS.findingInfo.name}{model=%q,rank="1"})`, ...MODEL)} }}{{ with first . }}`
  const named = ['phase', 'slice'].map((name) => `{{ if .Labels.${name} }}&var-${name}=${inLink(`.Labels.${name}`)}{{ end }}`).join('')
  return `${grafana}/d/${DASHBOARD_UIDS[board]}?from=${fromMillis()}&to=now${variables}${finding}${named}{{ end }}{{ end }}`
}

/** The finding's page, or the first page where there is no finding. */
export function consoleUrl({ console }: LinkBases): string {
  const found = query(`topk(1, ${METRICS.findingInfo.name}{model=%q,rank="1"})`, ...MODEL)
  const why = ConsolePath.why('')
  return `${console}{{ with ${found} }}${why}{{ with first . }}${inLink('.Labels.finding')}{{ end }}{{ else }}${ConsolePath.now}{{ end }}`
}

/** Requests of the console, filtered; used for the exemplars of a page. */
export function requestsUrl({ console }: LinkBases, parameters: string): string {
  return `${console}${ConsolePath.requests}?model=${inLink('$labels.model')}&from=${fromMillis()}${parameters}`
}

export function silenceUrl({ alertmanager }: LinkBases): string {
  const filter = inLink('printf "{cluster=%q,model=%q}" $labels.cluster $labels.model')
  return `${alertmanager}/#/silences/new?filter=${filter}`
}
