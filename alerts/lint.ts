// Rejects rules that Prometheus accepts and that can never fire, fire on health, or die with the next version. Each check stands for a
// pattern that is copied around in public; tests hold one such rule against each. Names and labels are held against the conventions.
import { EXTERNAL_METRICS, METRICS, type MetricDefinition } from '@longpole/model/conventions/metrics'
import { BASE_WINDOWS, RATIO_WINDOWS, RECORDINGS } from '@longpole/model/conventions/recordings'
import { parser } from '@prometheus-io/lezer-promql'

export type LintCode =
  | 'syntax'
  | 'absent-target'
  | 'unit'
  | 'lifetime-quantile'
  | 'unknown-series'
  | 'unknown-label'
  | 'unreachable-burn'
  | 'edge-matcher'
  | 'not-a-counter'

export interface LintProblem {
  code: LintCode
  message: string
}

type Node = ReturnType<typeof parser.parse>['topNode']

interface Context {
  expr: string
  text(node: Node): string
  problems: LintProblem[]
}

/** Problems of one expression; empty when it is sound. */
export function lintExpression(expr: string): LintProblem[] {
  const context: Context = { expr, text: (node) => expr.slice(node.from, node.to), problems: [] }
  parser.parse(expr).iterate({
    enter: ({ node }) => {
      if (node.type.isError)
        context.problems.push({ code: 'syntax', message: `not PromQL near "${expr.slice(node.from, node.from + 20)}"` })
      else checks[node.name]?.(node, context)
    },
  })
  return context.problems
}

const checks: Record<string, (node: Node, context: Context) => void> = {
  BinaryExpr(node, context) {
    absentTarget(node, context)
    unit(node, context)
    unreachableBurn(node, context)
  },
  FunctionCall(node, context) {
    lifetimeQuantile(node, context)
    counterFunction(node, context)
  },
  VectorSelector(node, context) {
    const name = nameOf(node, context)
    const known = seriesOf(name)
    if (known === undefined) context.problems.push({ code: 'unknown-series', message: `${name} is exported by nobody` })
    for (const matcher of descendants(node, 'UnquotedLabelMatcher')) labelMatcher(matcher, name, known, context)
  },
}

function labelMatcher(matcher: Node, name: string, known: Series | undefined, context: Context): void {
  const label = text(matcher.getChild('LabelName'), context)
  if (label === 'le' || (label === 'quantile' && matcher.getChild('MatchOp') !== null)) {
    const message = `${name}{${label}=…}: Prometheus 2 and 3 write the value differently, and a histogram has no quantile label; use histogram_quantile or good and bad counters`
    context.problems.push({ code: 'edge-matcher', message })
  } else if (known?.labels !== undefined && !known.labels.includes(label) && !TARGET_LABELS.includes(label)) {
    context.problems.push({ code: 'unknown-label', message: `${name} has no label ${label}` })
  }
}

/** Labels that Prometheus itself adds to what it scrapes. */
const TARGET_LABELS = ['job', 'instance']

/** `sum(x) == 0` is empty, not 0, once the targets are gone. An alternative (`or`) that survives their absence makes it sound. */
function absentTarget(node: Node, context: Context): void {
  const [left, right] = operands(node)
  if (left === null || right === null || !/^(==|<=?)$/.test(operator(node))) return
  if (left.name !== 'AggregateExpr' || !/^(sum|count)$/.test(text(left.getChild('AggregateOp'), context))) return
  const limit = constant(right, context)
  const holdsForZero = limit !== undefined && (operator(node) === '==' ? limit === 0 : operator(node) === '<' ? limit > 0 : limit >= 0)
  if (!holdsForZero || isCovered(node)) return
  context.problems.push({
    code: 'absent-target',
    message: `${context.text(node)} is empty when the series are gone; add an alternative that survives that`,
  })
}

/** An alternative stands beside it, or it only narrows another condition. */
function isCovered(node: Node): boolean {
  for (let current = node.parent; current !== null; current = current.parent) {
    if (current.getChild('Or') !== null || current.getChild('And') !== null) return true
  }
  return false
}

/** A quantile compared with more than the histogram's last edge: milliseconds against seconds, nearly always. */
function unit(node: Node, context: Context): void {
  const [left, right] = operands(node)
  if (left?.name !== 'FunctionCall' || right === null || !text(left, context).startsWith('histogram_quantile')) return
  const limit = constant(right, context)
  const [selector] = descendants(left, 'VectorSelector')
  if (limit === undefined || selector === undefined) return
  const name = nameOf(selector, context)
  const edges = seriesOf(name)?.metric?.buckets
  const last = edges?.at(-1) ?? (name.includes('_seconds') ? 1000 : Number.POSITIVE_INFINITY)
  if (limit >= last) context.problems.push({ code: 'unit', message: `${name} cannot exceed ${last} s and is compared with ${limit}` })
}

/** Buckets count from the start of the process: without rate() the quantile is of the whole lifetime. */
function lifetimeQuantile(node: Node, context: Context): void {
  if (!text(node.getChild('FunctionIdentifier'), context).startsWith('histogram_quantile')) return
  for (const selector of descendants(node, 'VectorSelector')) {
    if (selector.parent?.name !== 'MatrixSelector') {
      const message = `histogram_quantile over ${nameOf(selector, context)} without rate() is over the whole lifetime of the process`
      context.problems.push({ code: 'lifetime-quantile', message })
    }
  }
}

function counterFunction(node: Node, context: Context): void {
  const name = text(node.getChild('FunctionIdentifier'), context)
  if (!/^(rate|increase|irate)$/.test(name)) return
  for (const selector of descendants(node, 'VectorSelector')) {
    const series = nameOf(selector, context)
    const metric = seriesOf(series)?.metric
    if (metric?.type === 'gauge') context.problems.push({ code: 'not-a-counter', message: `${name}() of the gauge ${series}` })
  }
}

/** A share of bad requests can never exceed 1, and hardly 0.8. */
function unreachableBurn(node: Node, context: Context): void {
  const [left, right] = operands(node)
  if (left === null || right === null || !/^>=?$/.test(operator(node))) return
  const limit = constant(right, context)
  const isErrorRatio = text(left, context).includes(RECORDINGS.sliErrorRatio('5m').replace(/5m$/, ''))
  const isShare = isErrorRatio || /_ratio\b/.test(text(left, context)) || dividesParts(left, context)
  if (limit === undefined || !isShare || limit < (isErrorRatio ? 0.8 : 1)) return
  context.problems.push({ code: 'unreachable-burn', message: `a share above ${Number(limit.toPrecision(6))} cannot be reached` })
}

/** bad ÷ all of one counter: both sides select the same series. */
function dividesParts(node: Node, context: Context): boolean {
  const inner = node.name === 'ParenExpr' ? (node.firstChild ?? node) : node
  if (inner.name !== 'BinaryExpr' || inner.getChild('Div') === null) return false
  const [part, whole] = operands(inner)
  if (part === null || whole === null) return false
  const names = (side: Node) => descendants(side, 'VectorSelector').map((selector) => nameOf(selector, context))
  return names(part).some((name) => /_total$|_count$/.test(name) && names(whole).includes(name))
}

interface Series {
  metric?: MetricDefinition
  /** Absent where any label may be there. */
  labels?: readonly string[]
}

const SERIES = new Map<string, Series>([['ALERTS', {}]])
for (const metric of Object.values<MetricDefinition>({ ...METRICS, ...EXTERNAL_METRICS })) {
  const { name, labels } = metric
  if (metric.type !== 'histogram') SERIES.set(name, { metric, labels })
  else for (const suffix of ['bucket', 'sum', 'count']) SERIES.set(`${name}_${suffix}`, { metric, labels })
}
const PARAMETERS = [...RATIO_WINDOWS, ...BASE_WINDOWS, '50', '95', '99'] as const
for (const recording of Object.values<string | ((parameter: never) => string)>(RECORDINGS)) {
  if (typeof recording === 'string') SERIES.set(recording, {})
  else for (const parameter of PARAMETERS) SERIES.set(recording(parameter as never), {})
}

function seriesOf(name: string): Series | undefined {
  return SERIES.get(name)
}

function nameOf(selector: Node, context: Context): string {
  return text(selector.getChild('Identifier'), context)
}

function text(node: Node | null, context: Context): string {
  return node === null ? '' : context.text(node)
}

const OPERANDS =
  /^(BinaryExpr|FunctionCall|AggregateExpr|VectorSelector|ParenExpr|NumberDurationLiteral|UnaryExpr|MatrixSelector|OffsetExpr|SubqueryExpr|StepInvariantExpr)$/

function operands(node: Node): [Node | null, Node | null] {
  const first = node.firstChild
  const last = node.lastChild
  return [first !== null && OPERANDS.test(first.name) ? first : null, last !== null && OPERANDS.test(last.name) ? last : null]
}

function operator(node: Node): string {
  const names: Record<string, string> = { Eql: '==', EqlSingle: '==', Lss: '<', Lte: '<=', Gtr: '>', Gte: '>=' }
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    const symbol = names[child.name]
    if (symbol !== undefined) return symbol
  }
  return ''
}

/** The value of an expression of numbers only. */
function constant(node: Node, context: Context): number | undefined {
  if (node.name === 'NumberDurationLiteral') return Number(context.text(node))
  if (node.name === 'ParenExpr') return node.firstChild === null ? undefined : constant(node.firstChild, context)
  if (node.name !== 'BinaryExpr') return undefined
  const [left, right] = operands(node)
  const a = left === null ? undefined : constant(left, context)
  const b = right === null ? undefined : constant(right, context)
  if (a === undefined || b === undefined) return undefined
  if (node.getChild('Mul') !== null) return a * b
  if (node.getChild('Div') !== null) return a / b
  if (node.getChild('Add') !== null) return a + b
  return node.getChild('Sub') === null ? undefined : a - b
}

function descendants(node: Node, name: string): Node[] {
  const found: Node[] = []
  node.cursor().iterate((cursor) => {
    if (cursor.name === name) found.push(cursor.node)
  })
  return found
}
