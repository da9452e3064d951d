import type { Finding } from '@longpole/model/finding'
import { expect, test } from 'vitest'
import { incidentOf, MEASURES } from './measures.ts'

const finding = (column: string, change: Partial<Finding> = {}) =>
  ({
    opened: '2026-11-24T10:00:30Z',
    updated: '2026-11-24T10:05:00Z',
    closed: null,
    onset: null,
    target: { column },
    ...change,
  }) as Finding

test('a finding on a measure is asked about with it, one on outcomes with the whole duration', () => {
  for (const { id } of MEASURES) expect(incidentOf(finding(id)).column).toBe(id)
  expect(incidentOf(finding('outcome')).column).toBe('e2e')
})

test('the window goes from the onset, or where there is none from the opening, to the last that is known', () => {
  const opened = Date.parse('2026-11-24T10:00:30Z') / 1e3
  expect(incidentOf(finding('ttft'))).toMatchObject({ from: opened, to: opened + 270 })
  const at = '2026-11-24T09:59:00.4Z'
  const closed = '2026-11-24T10:20:30Z'
  expect(incidentOf(finding('ttft', { onset: { at, low: at, high: at }, closed }))).toMatchObject({ from: opened - 90, to: opened + 1_200 })
})
