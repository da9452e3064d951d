import { expect, test } from 'vitest'
import { PHASE_IDS, phaseColumn } from './phase.ts'
import { emptyColumns, REQUEST_COLUMNS } from './request-columns.ts'

test('column names are unique and snake_case, phase columns included', () => {
  const names = [...REQUEST_COLUMNS.map((column) => column.name), ...PHASE_IDS.map(phaseColumn)]
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
})

test('an empty record knows nothing: every nullable column is null', () => {
  const columns = emptyColumns()
  for (const column of REQUEST_COLUMNS) if (column.nullable) expect(columns[column.name]).toBeNull()
})
