// What the charts and breakdowns of the hub measure, and what a page asks them about a finding.
import type { Finding } from '@longpole/model/finding'
import { toMs } from './format.ts'

export const MEASURES = [
  { id: 'ttft', title: 'Time to first token' },
  { id: 'e2e', title: 'End to end' },
  { id: 'tpot', title: 'Time per output token' },
  { id: 'itl_max', title: 'Longest gap' },
] as const

/** The finding's window in Unix seconds, and its target where that is a measure: outcomes have none, their requests have a duration. */
export function incidentOf(finding: Finding): { column: string; from: number; to: number } {
  const { column } = finding.target
  return {
    column: MEASURES.some(({ id }) => id === column) ? column : 'e2e',
    from: Math.round(toMs(finding.onset?.at ?? finding.opened) / 1e3),
    to: Math.round(toMs(finding.closed ?? finding.updated) / 1e3),
  }
}
