// A board: one sentence of what it answers, rows of panels, links onward. From the queries it derives which variables it declares, so
// that no board has one it does not use.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import { DASHBOARD_UIDS, type DashboardName } from '@longpole/model/conventions/links'
import { METRICS } from '@longpole/model/conventions/metrics'
import type { Panel, Row } from './panels.ts'
import { VARIABLES, type Variable } from './queries.ts'
import { DATASOURCE, visualise } from './visualisations.ts'

export interface Board {
  name: DashboardName
  title: string
  /** The question this board answers, as one sentence; it stands first on the page. */
  answers: string
  rows: readonly Row[]
  /** Boards to go on to, keeping time and selection. */
  onward: readonly DashboardName[]
  /** Default range. */
  from?: string
}

const VARIABLE_TITLES: Record<Variable, string> = {
  cluster: 'Cluster',
  region: 'Region',
  model: 'Model',
  pool: 'Pool',
  replica: 'Replica',
  tenant_class: 'Tenant class',
  prompt_class: 'Prompt class',
}

/** Metric whose label values fill a variable: the one that is there even when nothing is asked. */
const VARIABLE_SOURCE: Record<Variable, string> = {
  cluster: METRICS.requestsTotal.name,
  region: METRICS.requestsTotal.name,
  model: METRICS.requestsTotal.name,
  pool: METRICS.engineUp.name,
  replica: METRICS.engineUp.name,
  tenant_class: `${METRICS.requestSeconds.name}_count`,
  prompt_class: `${METRICS.requestSeconds.name}_count`,
}

/** Console of this installation, for links; changed with `longpole` configuration `alerts.consoleUrl`. */
export const CONSOLE_VARIABLE = 'console'
const DEFAULT_CONSOLE = 'http://127.0.0.1:7171'

function expressionsOf(rows: readonly Row[]): string {
  return rows
    .flatMap((row) => row.panels.flatMap((panel) => (panel.kind === 'text' ? [] : panel.targets.map((target) => target.expr))))
    .join('\n')
}

/** Variables whose `$name` occurs in a query of the board. */
export function usedVariables(rows: readonly Row[]): Variable[] {
  const text = expressionsOf(rows)
  return VARIABLES.filter((name) => new RegExp(`\\$${name}\\b`).test(text))
}

function variableBuilder(name: Variable, used: readonly Variable[]): dashboard.QueryVariableBuilder {
  const above = used.slice(0, used.indexOf(name)).filter((other) => other === 'cluster' || other === 'model')
  const source = VARIABLE_SOURCE[name]
  const matchers = above.map((other) => `${other}=~"$${other}"`).join(',')
  const expression = `label_values(${source}${matchers === '' ? '' : `{${matchers}}`}, ${name})`
  return new dashboard.QueryVariableBuilder(name)
    .label(VARIABLE_TITLES[name])
    .query({ query: expression, refId: 'variable' })
    .datasource(DATASOURCE)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
}

function annotations(builder: dashboard.DashboardBuilder): void {
  const query = (name: string, expr: string, titleFormat: string, textFormat: string, colour: string) => {
    const annotation = new dashboard.AnnotationQueryBuilder()
      .name(name)
      .datasource(DATASOURCE)
      .enable(true)
      .iconColor(colour)
      .expr(expr)
      .build()
    // Fields that Grafana's Prometheus source reads and the SDK's type lacks.
    return Object.assign(annotation, { step: '15s', titleFormat, textFormat, useValueForTime: 'on' })
  }
  const findings = `${METRICS.findingOnset.name} * 1000`
  const changes = `${METRICS.changeTimestamp.name} * 1000`
  builder.annotations(
    [
      query('Findings', findings, 'Onset: {{model}} {{slo}}', 'A finding of the localizer begins here.', 'red'),
      query('Changes', changes, '{{kind}}', '{{event}}', 'purple'),
    ].map((annotation) => ({ build: () => annotation })),
  )
}

interface Place {
  x: number
  y: number
  w: number
  h: number
}

/** Flows panels left to right into 24 columns, each line as high as its highest panel. */
export function layout(panels: readonly Panel[], top: number): { places: Place[]; bottom: number } {
  const places: Place[] = []
  let x = 0
  let y = top
  let lineHeight = 0
  for (const panel of panels) {
    const height = panel.height ?? (panel.kind === 'stat' ? 4 : panel.kind === 'text' ? 3 : 8)
    if (x + panel.width > 24) {
      x = 0
      y += lineHeight
      lineHeight = 0
    }
    places.push({ x, y, w: panel.width, h: height })
    x += panel.width
    lineHeight = Math.max(lineHeight, height)
  }
  return { places, bottom: y + lineHeight }
}

function addRows(builder: dashboard.DashboardBuilder, rows: readonly Row[]): void {
  let y = 2
  for (const row of rows) {
    const header = new dashboard.RowBuilder(row.title).gridPos({ x: 0, y, w: 24, h: 1 }).collapsed(row.collapsed === true)
    const { places, bottom } = layout(row.panels, y + 1)
    if (row.collapsed === true)
      for (const [index, panel] of row.panels.entries()) header.withPanel(visualise(panel).gridPos(places[index] as Place))
    builder.withRow(header)
    if (row.collapsed !== true)
      for (const [index, panel] of row.panels.entries()) builder.withPanel(visualise(panel).gridPos(places[index] as Place))
    y = row.collapsed === true ? y + 1 : bottom
  }
}

function onwardLinks(board: Board, builder: dashboard.DashboardBuilder, titles: ReadonlyMap<DashboardName, string>): void {
  for (const name of board.onward) {
    builder.link(
      new dashboard.DashboardLinkBuilder(titles.get(name) ?? name)
        .type(dashboard.DashboardLinkType.Link)
        .url(`/d/${DASHBOARD_UIDS[name]}`)
        .includeVars(true)
        .keepTime(true)
        .icon('dashboard'),
    )
  }
  builder.link(
    new dashboard.DashboardLinkBuilder('Console')
      .type(dashboard.DashboardLinkType.Link)
      .url(`\${${CONSOLE_VARIABLE}}`)
      .icon('external link')
      .targetBlank(true),
  )
}

/** The board as Grafana's v1 JSON (schemaVersion 42). */
export function buildBoard(board: Board, titles: ReadonlyMap<DashboardName, string>): dashboard.Dashboard {
  const used = usedVariables(board.rows)
  const builder = new dashboard.DashboardBuilder(`Longpole / ${board.title}`)
    .uid(DASHBOARD_UIDS[board.name])
    .description(board.answers)
    .tags(['longpole'])
    .timezone('browser')
    .readonly()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: board.from ?? 'now-1h', to: 'now' })
    .refresh('30s')
    .withVariable(
      new dashboard.DatasourceVariableBuilder('datasource')
        .label('Data source')
        .type('prometheus')
        .current({ selected: true, text: 'default', value: 'default' }),
    )
  for (const name of used) builder.withVariable(variableBuilder(name, used))
  builder.withVariable(
    new dashboard.TextBoxVariableBuilder(CONSOLE_VARIABLE)
      .label('Console')
      .defaultValue(DEFAULT_CONSOLE)
      .hide(dashboard.VariableHide.HideVariable),
  )
  annotations(builder)
  onwardLinks(board, builder, titles)
  builder.withPanel(visualise({ kind: 'text', markdown: `**${board.answers}**`, width: 24 }).gridPos({ x: 0, y: 0, w: 24, h: 2 }))
  addRows(builder, board.rows)
  return builder.build()
}
