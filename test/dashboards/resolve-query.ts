// What Grafana would send: its variables replaced in a query.

export interface Intervals {
  /** `$__rate_interval`, seconds. */
  rate: number
  /** `$__range`, seconds. */
  range: number
}

/** Every variable of a board stands at All, unless chosen otherwise. */
export function resolveQuery(expr: string, { rate, range }: Intervals, chosen: Readonly<Record<string, string>> = {}): string {
  return expr
    .replaceAll('$__rate_interval', `${rate}s`)
    .replaceAll('$__range', `${range}s`)
    .replace(/\$\{?(cluster|region|model|pool|replica|tenant_class|prompt_class)\}?/g, (_, name) => chosen[name] ?? '.*')
}
