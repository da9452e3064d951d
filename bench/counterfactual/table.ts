// The cases of the counterfactual as the table of docs/calibration.md: a line a fault, by severity, and what contradicts.
import type { FaultDefinition } from '../../src/simulator/faults/fault.ts'

export interface Case {
  id: string
  seed: number
  /** Requests a second. */
  rate: number
  severity: string
  result: 'right' | 'quiet' | 'wrong'
  /** What contradicts the truth. */
  why: string | null
}

export const SEVERITIES = ['low', 'medium', 'high']

/** Markdown, and the number of cases that contradict their truth. */
export function formatTable(cases: readonly Case[], definitions: readonly FaultDefinition[]): { text: string; wrong: number } {
  const lines = [
    '| | | as claimed: low | medium | high | below noise: low | medium | high | not as claimed |',
    '|---|---|---|---|---|---|---|---|---|',
  ]
  const complaints: string[] = []
  for (const { id, name } of definitions) {
    const own = cases.filter((entry) => entry.id === id)
    if (own.length === 0) continue
    const count = (result: Case['result'], severity: string) =>
      own.filter((entry) => entry.result === result && entry.severity === severity).length
    const counts = [...SEVERITIES.map((severity) => count('right', severity)), ...SEVERITIES.map((severity) => count('quiet', severity))]
    const wrong = own.filter((entry) => entry.result === 'wrong')
    lines.push(`| ${id} | ${name} | ${counts.join(' | ')} | ${wrong.length} |`)
    for (const { seed, rate, severity, why } of wrong) complaints.push(`${id} seed ${seed}, ${rate} requests/s, ${severity}: ${why}`)
  }
  const wrong = cases.filter((entry) => entry.result === 'wrong').length
  const total = `${cases.length} cases: ${cases.filter((entry) => entry.result === 'right').length} as claimed, ${cases.filter((entry) => entry.result === 'quiet').length} below their own noise, ${wrong} not as claimed.`
  return { text: `${[...lines, '', total, ...(complaints.length > 0 ? [''] : []), ...complaints].join('\n')}\n`, wrong }
}
