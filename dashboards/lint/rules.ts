// The rules of Grafana's dashboard-linter that apply to Prometheus boards, and our own, each a pure function from a board's JSON to
// sentences. Names are the linter's; exceptions are argued in dashboards/generated/.lint, one line each.
import { parser } from '@prometheus-io/lezer-promql'

export interface LintTarget {
  expr?: string
  instant?: boolean
  datasource?: { uid?: string }
}
export interface LintPanel {
  type: string
  title?: string
  description?: string
  datasource?: { uid?: string }
  targets?: LintTarget[]
  panels?: LintPanel[]
  fieldConfig?: { defaults?: { unit?: string; noValue?: string } }
}
export interface LintBoard {
  title?: string
  editable?: boolean
  panels?: LintPanel[]
  templating?: { list?: { name: string; type: string; datasource?: { uid?: string }; refresh?: number; label?: string }[] }
}

export type LintRule = (board: LintBoard) => string[]

/** Panels that draw data: rows are opened, text is left out. */
export function dataPanels(board: LintBoard): LintPanel[] {
  const all = (board.panels ?? []).flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]))
  return all.filter((panel) => panel.type !== 'text')
}

/** Grafana's own variables stand for durations; the others for regular expressions. */
export function interpolate(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '1h')
    .replaceAll('$__interval', '1m')
    .replace(/\$\{?[a-z_]+\}?/g, '.*')
}

const each = (board: LintBoard, judge: (panel: LintPanel) => string | undefined): string[] =>
  dataPanels(board).flatMap((panel) => {
    const complaint = judge(panel)
    return complaint === undefined ? [] : [`${panel.title ?? 'a panel'}: ${complaint}`]
  })

const eachExpression = (board: LintBoard, judge: (expr: string) => string | undefined): string[] =>
  dataPanels(board).flatMap((panel) =>
    (panel.targets ?? []).flatMap((target) => {
      const complaint = judge(target.expr ?? '')
      return complaint === undefined ? [] : [`${panel.title ?? 'a panel'}: ${complaint}: ${target.expr}`]
    }),
  )

function syntaxError(expr: string): string | undefined {
  let error: string | undefined
  parser.parse(interpolate(expr)).iterate({
    enter: (node) => {
      if (node.type.isError) error = `does not parse at ${node.from}`
    },
  })
  return error
}

export const LINT_RULES: Record<string, LintRule> = {
  'template-datasource': (board) =>
    board.templating?.list?.some((variable) => variable.type === 'datasource' && variable.name === 'datasource') === true
      ? []
      : ['no variable `datasource` of type datasource'],
  'template-on-time-change-reload': (board) =>
    (board.templating?.list ?? [])
      .filter((variable) => variable.type === 'query' && variable.refresh !== 2)
      .map((variable) => `variable ${variable.name} does not reload when the time range changes`),
  'panel-datasource': (board) =>
    each(board, (panel) => (panel.datasource?.uid === '${datasource}' ? undefined : 'does not use ${datasource}')),
  'panel-title-description': (board) =>
    each(board, (panel) => (panel.title && panel.description ? undefined : 'has no title or no description')),
  'panel-units': (board) => each(board, (panel) => (panel.fieldConfig?.defaults?.unit ? undefined : 'has no unit')),
  'panel-no-targets': (board) => each(board, (panel) => ((panel.targets ?? []).length > 0 ? undefined : 'has no targets')),
  'panel-no-value': (board) => each(board, (panel) => (panel.fieldConfig?.defaults?.noValue ? undefined : 'has no text for no value')),
  'target-promql': (board) => eachExpression(board, syntaxError),
  'target-rate-interval': (board) =>
    eachExpression(board, (expr) =>
      /\b(?:rate|irate|increase)\([^[]*\[(?!\$__rate_interval|\$__range)/.test(expr) ? 'a rate over a fixed window' : undefined,
    ),
  'target-counter-agg': (board) =>
    eachExpression(board, (expr) => {
      const counters = [...expr.matchAll(/([a-z_:]+_(?:total|bucket|sum|count))(?:\{[^}]*\})?(\[)?/g)]
      const bare = counters.find((match) => match[2] === undefined && !match[1]?.includes(':') && !/spans_/.test(match[1] as string))
      return bare === undefined ? undefined : `counter ${bare[1]} without rate or increase`
    }),
  'uneditable-dashboard': (board) => (board.editable === false ? [] : ['can be edited in place']),
  'template-used': (board) => {
    const text = JSON.stringify(board)
    return (board.templating?.list ?? [])
      .filter((variable) => text.split(new RegExp(`\\$\\{?${variable.name}\\b`)).length < 2)
      .map((variable) => `variable ${variable.name} is declared and not used`)
  },
}
