// Holds what a query returned against its truth.
import { key, type Labels } from './labels.ts'
import type { Row } from './truth.ts'

/** Values are right within a hundredth; quantiles lie in the bucket of the true one. Returns what is wrong, in words. */
export function compare(expected: readonly Row[], got: readonly Row[]): string[] {
  const wrong: string[] = []
  const byKey = new Map(got.map((row) => [key(row.labels), row]))
  for (const row of expected) {
    const name = key(row.labels)
    const found = byKey.get(name)
    byKey.delete(name)
    if (found === undefined) {
      if (Number.isFinite(row.value) && row.optional !== true) wrong.push(`${describe(row.labels)}: nothing, should be ${row.value}`)
    } else if (!agrees(row, found.value) && !(row.optional === true && found.value === 0))
      wrong.push(`${describe(row.labels)}: ${found.value}, should be ${row.value}`)
  }
  for (const row of byKey.values()) {
    // A counter that stood still.
    if (row.value !== 0 && !Number.isNaN(row.value)) wrong.push(`${describe(row.labels)}: ${row.value}, should be nothing`)
  }
  return wrong
}

function agrees({ value, low, high }: Row, got: number): boolean {
  if (low !== undefined && high !== undefined) return got >= low * (1 - 1e-9) && got <= high * (1 + 1e-9)
  if (Number.isNaN(value)) return Number.isNaN(got)
  return Math.abs(got - value) <= 0.01 * Math.abs(value) + 1e-9
}

function describe(labels: Readonly<Labels>): string {
  return (
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ') || 'all'
  )
}
