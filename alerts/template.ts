// Building blocks of annotation templates (Go's text/template as Prometheus runs it). Label values come from outside: every value that
// is shown is stripped of control characters, markup and direction overrides and cut; every value in a query or link is quoted.

/** Control, format and separator characters, and what Slack, HTML and Markdown would read as structure. */
const UNSAFE = '[\\\\p{C}\\\\p{Z}<>&`|*]+'

/** Pipeline that makes a value showable. */
export function shown(value: string, length = 80): string {
  return `${value} | reReplaceAll "${UNSAFE}" " " | printf "%.${length}s"`
}

/** `{{ … }}` of a label of the alert. */
export function label(name: string, length = 80): string {
  return `{{ ${shown(`$labels.${name}`, length)} }}`
}

/** A query whose label values are filled in quoted (`%q`: Go's quoting is PromQL's). */
export function query(promql: string, ...values: string[]): string {
  const format = `\`${promql.replaceAll(/\s+/g, ' ')}\``
  return values.length === 0 ? `query ${format}` : `printf ${format} ${values.join(' ')} | query`
}

/** The first value of a query through a formatter, or a reason where there is none. */
export function firstValue(promql: string, values: string[], format: string, otherwise: string): string {
  return `{{ with ${query(promql, ...values)} }}{{ . | first | value | ${format} }}{{ else }}${otherwise}{{ end }}`
}

/** Only digits and a point reach a link from a value. */
export const EPOCH = 'printf "%.0f"'

/** A label's value inside an address. */
export function inLink(value: string): string {
  return `{{ ${value} | urlquery | reReplaceAll "\\\\+" "%20" }}`
}
