// What the first page says, as plain text without markup: the verdict over the fleet, a finding as one sentence, and each model held
// against its objectives. The pages and `longpole top` say the same because both take it from here.
import type { ApiSummary } from '@longpole/model/api'
import type { Finding, Slice } from '@longpole/model/finding'
import { PHASES } from '@longpole/model/phase'
import { clock, count, duration, percent, utc } from './format.ts'

const PHASE_TITLES = new Map<string, string>(PHASES.map((phase) => [phase.id, phase.title]))

export const phaseTitle = (phase: string): string => PHASE_TITLES.get(phase) ?? phase

/** Errors above this share of a model's requests stand out. */
export const MANY_ERRORS = 0.01

/** Whether the hub has seen nothing at all. */
export function isSilent({ requests, open, findings }: ApiSummary): boolean {
  return requests === 0 && open === 0 && findings.length === 0
}

export function openFindings({ findings }: ApiSummary): Finding[] {
  return findings.filter((finding) => finding.closed === null)
}

/** How much goes on, without a full stop. */
export function load({ requests, window_seconds, open, oldest_open_seconds }: ApiSummary): string {
  const oldest = open > 0 ? `, the oldest for ${duration(oldest_open_seconds)}` : ''
  return `${count(requests)} requests in the last ${duration(window_seconds)}, ${count(open)} in flight${oldest}`
}

/** The verdict over the whole fleet, in one sentence. */
export function headline(summary: ApiSummary): { tone: 'fine' | 'moved' | 'bad'; text: string } {
  const open = openFindings(summary)
  const faults = open.filter(
    (finding) => finding.verdict === 'localized' || finding.verdict === 'fleet_wide' || finding.verdict === 'not_localized',
  )
  if (faults.length > 0) return { tone: 'bad', text: faults.length === 1 ? 'One thing is wrong.' : `${faults.length} things are wrong.` }
  const now = summary.models.reduce((sum, model) => sum + model.requests_per_second, 0)
  const before = summary.models.reduce((sum, model) => sum + model.requests_per_second_before, 0)
  const change = before > 0 ? now / before - 1 : 0
  const traffic =
    Math.abs(change) < 0.1 ? 'traffic is as before' : `traffic ${change > 0 ? 'grew' : 'fell'} by ${percent(Math.abs(change))}`
  if (open.length > 0) return { tone: 'moved', text: `Nothing is broken; the workload changed, ${traffic}.` }
  return { tone: 'fine', text: `Nothing is wrong; ${traffic}.` }
}

export function sliceWords(slice: Slice): string {
  const dimensions = Object.keys(slice)
  if (dimensions.length === 0) return 'the whole fleet'
  return dimensions.map((dimension) => `${dimension.replaceAll('_', ' ')} ${(slice[dimension] ?? []).join(' and ')}`).join(', ')
}

/** What moved, in the words of a person: `TTFT p99 of deepseek-v3`. */
export function targetWords(finding: Finding): string {
  const { column, quantile, slo } = finding.target
  const name = { ttft: 'TTFT', tpot: 'TPOT', e2e: 'End-to-end time', itl_max: 'Longest gap' }[column] ?? column
  const what = quantile !== null ? `${name} p${Math.round(quantile * 100)}` : slo !== null ? `The ${slo} objective` : name
  return finding.model === null || finding.model === '' ? what : `${what} of ${finding.model}`
}

/** The whole finding as plain text, for an incident channel. */
export function findingText(finding: Finding): string {
  const phase = finding.phases[0]
  if (finding.verdict === 'workload_shift') {
    const moved = finding.workload.map((entry) => entry.description).join('; ')
    return `${targetWords(finding)} moved because the workload changed, nothing is broken: ${moved || 'see the evidence'}.`
  }
  if (finding.verdict === 'not_localized') return `${targetWords(finding)} got worse; not localized. ${finding.next_check}`
  if (finding.verdict === 'no_regression') return `${targetWords(finding)}: no regression.`
  const since = finding.onset === null ? '' : ` since ${clock(finding.onset.at)} (${utc(finding.onset.at)})`
  const share = phase === undefined ? '' : ` ${percent(phase.share)} of it is ${phaseTitle(phase.phase).toLowerCase()}`
  const where = ` on ${sliceWords(finding.slice)}`
  const mechanism = finding.mechanism === null ? '' : `: ${finding.mechanism.name.replaceAll(/[_-]/g, ' ')}`
  const evidence = finding.mechanism?.evidence_for[0]
  const change = finding.changes[0]
  return `${targetWords(finding)} got worse${since};${share}${where}${mechanism}${evidence ? ` (${evidence})` : ''}${change ? `, after ${change.event.title}` : ''}; ${finding.confidence} confidence.`
}

export interface Attainment {
  slo: string
  objective: number
  good: number
  bad: number
  attainment: number
}

/** How far a model met each of its objectives, clusters added up (the Fleet page tells them apart); only those with a judged request. */
export function attainments(summary: ApiSummary, model: string): Attainment[] {
  const sums = new Map<string, { slo: string; objective: number; good: number; bad: number }>()
  for (const entry of summary.slos.filter((slo) => slo.model === model)) {
    const sum = sums.get(entry.slo) ?? { slo: entry.slo, objective: entry.objective, good: 0, bad: 0 }
    sums.set(entry.slo, { ...sum, good: sum.good + entry.good, bad: sum.bad + entry.bad })
  }
  return [...sums.values()].filter((row) => row.good + row.bad > 0).map((row) => ({ ...row, attainment: row.good / (row.good + row.bad) }))
}
