// Collects generated requests row by row into the localizer's table.
import type { Question } from '../../../src/localizer/question.ts'
import { DimensionBuilder, type Table } from '../../../src/localizer/table.ts'
import { START } from '../case.ts'

export type Row = Record<string, string | number | null>

export function buildTable(rows: readonly Row[], dimensions: readonly string[], numbers: readonly string[]): Table {
  const builders = dimensions.map((name) => new DimensionBuilder(name))
  const columns = numbers.map(() => new Float64Array(rows.length))
  const time = new Float64Array(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as Row
    time[index] = row.time as number
    for (let at = 0; at < builders.length; at++) {
      const value = row[dimensions[at] as string]
      ;(builders[at] as DimensionBuilder).add(value === null || value === undefined ? null : String(value))
    }
    for (let at = 0; at < columns.length; at++) {
      const value = row[numbers[at] as string]
      ;(columns[at] as Float64Array)[index] = typeof value === 'number' ? value : Number.NaN
    }
  }
  return {
    rows: rows.length,
    time,
    weight: null,
    dimensions: new Map(builders.map((builder) => [builder.name, builder.finish()])),
    numbers: new Map(numbers.map((name, index) => [name, columns[index] as Float64Array])),
    flags: new Set(),
  }
}

export function ask(
  target: string,
  dimensions: string[],
  phases: string[],
  incidentFrom: number,
  incidentTo: number,
  more: Partial<Question> = {},
): Question {
  return {
    target,
    measure: { kind: 'quantile', quantile: 0.95 },
    incident: { from: incidentFrom, to: incidentTo },
    baseline: [{ from: START, to: incidentFrom }],
    dimensions,
    phases,
    covariates: null,
    slo: null,
    model: null,
    samples: [],
    events: [],
    seed: 1,
    ...more,
  }
}
