// Keeps label sets bounded: each label of each metric takes so many values and no more. 10^6 tenants or models must not become
// 10^6 series; their sums stay right under OVERFLOW.
import { LABEL_CAPS, OVERFLOW, UNKNOWN } from '@longpole/model/conventions/labels'
import type { MetricDefinition } from '@longpole/model/conventions/metrics'

/** Longer values are cut: a label is a name, not a text. */
export const MAX_LABEL_LENGTH = 200

export interface LabelLimit {
  /** Labels as bounded ones, in the definition's order and complete. */
  bound(definition: MetricDefinition, labels: Readonly<Record<string, string | null | undefined>>): Record<string, string>
  /** Whether the labels are as they were given, none of them cut or beyond its cap: to be asked when they have a series. */
  isWithin(definition: MetricDefinition, labels: Readonly<Record<string, string | null | undefined>>): boolean
  /** All series of the metric are gone: its values count from zero again. */
  forget(definition: MetricDefinition): void
}

/** `onOverflow` is told once for every observation that had to go under OVERFLOW. */
export function createLabelLimit(fallbackCap: number, onOverflow: (metric: string, label: string) => void): LabelLimit {
  const seen = new Map<string, Map<string, Set<string>>>()

  function bound(definition: MetricDefinition, labels: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
    let ofMetric = seen.get(definition.name)
    if (ofMetric === undefined) {
      ofMetric = new Map(definition.labels.map((label) => [label, new Set<string>()]))
      seen.set(definition.name, ofMetric)
    }
    const bounded: Record<string, string> = {}
    for (const label of definition.labels) {
      let value = labels[label] ?? UNKNOWN
      if (value.length > MAX_LABEL_LENGTH) value = `${value.slice(0, MAX_LABEL_LENGTH - 1)}…`
      const values = ofMetric.get(label) as Set<string>
      if (value !== UNKNOWN && value !== OVERFLOW && !values.has(value)) {
        if (values.size >= capOf(label, fallbackCap)) {
          onOverflow(definition.name, label)
          value = OVERFLOW
        } else values.add(value)
      }
      bounded[label] = value
    }
    return bounded
  }

  function isWithin(definition: MetricDefinition, labels: Readonly<Record<string, string | null | undefined>>): boolean {
    const ofMetric = seen.get(definition.name)
    return definition.labels.every((label) => {
      const value = labels[label] ?? UNKNOWN
      return value === UNKNOWN || value === OVERFLOW || ofMetric?.get(label)?.has(value) === true
    })
  }

  return { bound, isWithin, forget: (definition) => seen.delete(definition.name) }
}

function capOf(label: string, fallback: number): number {
  return (LABEL_CAPS as Record<string, number>)[label] ?? fallback
}
