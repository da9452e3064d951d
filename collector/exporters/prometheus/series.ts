// The series of one metric, kept flat: one lookup by a joined key for each observation. prom-client, which hashes every label of every
// observation several times, only writes the page from what is here.

import { UNKNOWN } from '@longpole/model/conventions/labels'
import type { MetricDefinition } from '@longpole/model/conventions/metrics'

export type Labels = Readonly<Record<string, string | null | undefined>>

export interface Exemplar {
  traceId: string
  value: number
  unixSeconds: number
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Of counters and gauges. */
  value: number
  /** Of histograms: observations by bucket, the last one above every bound. */
  readonly counts: Float64Array | null
  sum: number
  readonly exemplars: (Exemplar | undefined)[] | null
}

export interface SeriesTable {
  readonly definition: MetricDefinition
  /** The series of these labels, made where there is none. */
  of(labels: Labels): Series
  remove(labels: Labels): void
  clear(): void
  all(): IterableIterator<Series>
}

/** `bound` makes labels complete and limited; it is asked only for labels that have no series of their own yet. */
export function createSeriesTable(definition: MetricDefinition, bound: (labels: Labels) => Record<string, string>): SeriesTable {
  const names = definition.labels
  let all = new Set<Series>()
  let tree = createTree(names)

  const table: SeriesTable = {
    definition,
    of(labels) {
      const found = tree.find(labels)
      if (found !== undefined) return found
      const limited = bound(labels)
      const known = tree.find(limited)
      if (known !== undefined) return known
      const created = createSeries(definition, limited)
      all.add(created)
      tree.add(created)
      return created
    },
    remove(labels) {
      const found = tree.find(labels) ?? tree.find(bound(labels))
      if (found === undefined) return
      all.delete(found)
      tree.remove(found.labels)
    },
    clear() {
      all = new Set()
      tree = createTree(names)
    },
    all: () => all.values(),
  }
  // A counter without labels has its one series from the start: one that never counted is 0, not unknown.
  if (names.length === 0 && definition.type !== 'gauge') table.of({})
  return table
}

/** Value of the first label → of the second … → the series. Joining the values to one key would make and hash a new string each time. */
interface Branch extends Map<string, Branch | Series> {}

function createTree(names: readonly string[]) {
  // Without labels there is one leaf, under a name that no label has.
  const path = names.length === 0 ? [''] : names
  const last = path.length - 1
  const root: Branch = new Map()
  const labelValue = (labels: Labels, depth: number) => labels[path[depth] as string] ?? UNKNOWN

  function removeAt(branch: Branch, labels: Labels, depth: number): void {
    const value = labelValue(labels, depth)
    if (depth < last) {
      const next = branch.get(value) as Branch | undefined
      if (next === undefined) return
      removeAt(next, labels, depth + 1)
      if (next.size > 0) return
    }
    branch.delete(value)
  }

  return {
    find(labels: Labels): Series | undefined {
      let branch = root
      for (let depth = 0; depth < last; depth++) {
        const next = branch.get(labelValue(labels, depth)) as Branch | undefined
        if (next === undefined) return undefined
        branch = next
      }
      return branch.get(labelValue(labels, last)) as Series | undefined
    },
    add(series: Series): void {
      let branch = root
      for (let depth = 0; depth < last; depth++) {
        const value = labelValue(series.labels, depth)
        let next = branch.get(value) as Branch | undefined
        if (next === undefined) {
          next = new Map()
          branch.set(value, next)
        }
        branch = next
      }
      branch.set(labelValue(series.labels, last), series)
    },
    remove: (labels: Labels) => removeAt(root, labels, 0),
  }
}

function createSeries({ type, buckets }: MetricDefinition, labels: Readonly<Record<string, string>>): Series {
  const isHistogram = type === 'histogram'
  const size = (buckets?.length ?? 0) + 1
  return { labels, value: 0, sum: 0, counts: isHistogram ? new Float64Array(size) : null, exemplars: isHistogram ? new Array(size) : null }
}

/** Index of the bucket that holds a value: the first bound that is not below it (`le`), one after the last where there is none. */
export function bucketIndex(bounds: readonly number[], value: number): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((bounds[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
