// Rules with one mistake each, of the kinds that people make: threshold ten times too high or low, a label misspelt, a guard dropped,
// another window, seconds for milliseconds. A rule's tests are worth what share of these they notice.
import { windowSeconds } from '../ladder.ts'
import type { PrometheusAlert } from '../rule.ts'

export interface Mutation {
  kind: 'threshold' | 'label' | 'guard' | 'window' | 'unit'
  description: string
  expr: string
}

/** Comparisons with a number, the number captured; `== 1` and `== 0` are states and not thresholds. */
const COMPARISON = /(?:>=|<=|>|<)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.])/g
const LABEL_MATCHER = /([a-z_]+)(=~|!=|!~|=)"([^"]*)"/g
const WINDOW = /\[(\d+[smhd])\]|:(?:ratio_rate|increase)(\d+[smhd])/g

export function mutations(alert: Pick<PrometheusAlert, 'expr'>): Mutation[] {
  return [...thresholds(alert.expr), ...labels(alert.expr), ...guards(alert.expr), ...windows(alert.expr)]
}

function replaceAt(text: string, index: number, length: number, by: string): string {
  return text.slice(0, index) + by + text.slice(index + length)
}

function thresholds(expr: string): Mutation[] {
  return [...expr.matchAll(COMPARISON)].flatMap((match) => {
    const value = Number(match[1])
    // Nothing is ten times nothing.
    if (value === 0) return []
    const at = match.index + match[0].length - (match[1] as string).length
    const variant = (kind: 'threshold' | 'unit', factor: number): Mutation => ({
      kind,
      description: `${match[0]} × ${factor}`,
      expr: replaceAt(expr, at, (match[1] as string).length, String(Number((value * factor).toPrecision(12)))),
    })
    return [variant('threshold', 10), variant('threshold', 0.1), variant('unit', 1000), variant('unit', 0.001)]
  })
}

function labels(expr: string): Mutation[] {
  return [...expr.matchAll(LABEL_MATCHER)].map((match) => {
    const [whole, name, operator, value] = match
    return {
      kind: 'label' as const,
      description: `${whole} → ${name}s`,
      expr: replaceAt(expr, match.index, whole.length, `${name}s${operator}"${value}"`),
    }
  })
}

/** Each operand of `and`, `or`, `unless` that stands on its own lines at any depth is left out once. */
function guards(expr: string): Mutation[] {
  const lines = expr.split('\n')
  return lines.flatMap((line, index) => {
    if (!/^(and|unless|or)\b/.test(line)) return []
    const end = operandEnd(lines, index + 1)
    return [
      {
        kind: 'guard' as const,
        description: `without: ${line} ${lines[index + 1]}`,
        expr: [...lines.slice(0, index), ...lines.slice(end)].join('\n'),
      },
    ]
  })
}

/** Line after the operand that starts at `start`: until the next operator or the closing of the surrounding bracket. */
function operandEnd(lines: readonly string[], start: number): number {
  let depth = 0
  for (let index = start; index < lines.length; index++) {
    const line = lines[index] as string
    if (index > start && depth === 0 && /^(and|unless|or)\b/.test(line)) return index
    for (const char of line.replaceAll(/"[^"]*"/g, '')) {
      if (char === '(') depth++
      if (char === ')') depth--
      if (depth < 0) return index
    }
  }
  return lines.length
}

/** A short window for a long one and the reverse, in ranges and in the names of recordings. */
function windows(expr: string): Mutation[] {
  return [...expr.matchAll(WINDOW)].map((match) => {
    const [whole, range = '', recorded = ''] = match
    const window = range === '' ? recorded : range
    const swapped = windowSeconds(window) <= 1800 ? '1h' : '5m'
    const by = whole.replace(window, swapped)
    return { kind: 'window', description: `${whole} → ${by}`, expr: replaceAt(expr, match.index, whole.length, by) }
  })
}
