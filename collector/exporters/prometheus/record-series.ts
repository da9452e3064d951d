// The series that a settled record counts on, found once for each combination of its labels: a record counts on some thirty series, and
// nearly all have the labels of one that settled a moment ago.
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { RequestColumns } from '@longpole/model/request-columns'
import type { Handle, Labels, MetricRegistry } from './registry.ts'

type Column = keyof RequestColumns

/** So many combinations are remembered; when there are more, remembering begins anew. */
const MAX_COMBINATIONS = 20_000

interface Branch<Found> extends Map<unknown, Branch<Found> | Found> {}

/** Remembers what `make` makes of the labels in these columns. */
export function rememberByColumns<Name extends Column, Found>(
  columns: readonly [Name, ...Name[]],
  make: (labels: Labels) => Found,
): (record: Pick<RequestColumns, Name>) => Found {
  const last = columns.length - 1
  let root: Branch<Found> = new Map()
  let size = 0

  function add(branch: Branch<Found>, record: Pick<RequestColumns, Name>): Found {
    if (size >= MAX_COMBINATIONS) {
      root = new Map()
      size = 0
    }
    size++
    const labels = Object.fromEntries(columns.map((name) => [name, record[name]])) as Labels
    const found = make(labels)
    branch.set(record[columns[last] as Name], found)
    return found
  }

  return (record) => {
    let branch = root
    for (let depth = 0; depth < last; depth++) {
      const value = record[columns[depth] as Name]
      let next = branch.get(value) as Branch<Found> | undefined
      if (next === undefined) {
        next = new Map()
        branch.set(value, next)
      }
      branch = next
    }
    return (branch.get(record[columns[last] as Name]) as Found | undefined) ?? add(branch, record)
  }
}

/** Series that differ in one more label, whose values are few; each is made when its value is first met. */
export class LabelledSeries {
  private readonly registry: MetricRegistry<HubMetricKey>
  private readonly key: HubMetricKey
  private readonly labels: Labels
  private readonly label: string
  private readonly handles = new Map<string | null, Handle>()

  constructor(registry: MetricRegistry<HubMetricKey>, key: HubMetricKey, labels: Labels, label: string) {
    this.registry = registry
    this.key = key
    this.labels = labels
    this.label = label
  }

  of(value: string | null): Handle {
    let handle = this.handles.get(value)
    if (handle === undefined) {
      handle = this.registry.handle(this.key, { ...this.labels, [this.label]: value })
      this.handles.set(value, handle)
    }
    return handle
  }
}
