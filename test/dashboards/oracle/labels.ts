// Labels of rows as Prometheus has them, and rows brought together by them.

export type Labels = Record<string, string>
export type Operation = 'sum' | 'avg' | 'max' | 'min' | 'count'

export interface Group {
  labels: Labels
  values: number[]
}

/** The same for the same labels, in whatever order. */
export function key(labels: Readonly<Labels>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function pick(labels: Readonly<Labels>, names: readonly string[] | undefined): Labels {
  return names === undefined ? { ...labels } : Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)))
}

/** Those labels that are known: unknown ones are absent, as Prometheus has them. */
export function known(by: readonly string[], read: (name: string) => unknown): Labels {
  const labels: Labels = {}
  for (const name of by) {
    const value = read(name)
    if (value !== null && value !== undefined && value !== '') labels[name] = String(value)
  }
  return labels
}

/** Values by their labels, in the order in which each label set was first met. */
export function group(entries: Iterable<{ labels: Labels; value: number }>): Group[] {
  const groups = new Map<string, Group>()
  for (const { labels, value } of entries) {
    const name = key(labels)
    const found = groups.get(name)
    if (found === undefined) groups.set(name, { labels, values: [value] })
    else found.values.push(value)
  }
  return [...groups.values()]
}

export const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

export const OPERATIONS: Record<Operation, (values: readonly number[]) => number> = {
  sum: total,
  avg: (values) => total(values) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  count: (values) => values.length,
}
