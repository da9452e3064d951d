// A finding as one sentence that can be read aloud, and its small picture.
import { type Finding, formatSlice, type Slice } from '@longpole/model/finding'
import type { ReactNode } from 'react'
import { clock, count, duration, percent, utc } from '../format.ts'
import { href } from '../router.ts'
import { phaseColour, phaseTitle } from './phases.tsx'

const MECHANISM_WORDS = (name: string): string => name.replaceAll(/[_-]/g, ' ')

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
  const mechanism = finding.mechanism === null ? '' : `: ${MECHANISM_WORDS(finding.mechanism.name)}`
  const evidence = finding.mechanism?.evidence_for[0]
  const change = finding.changes[0]
  return `${targetWords(finding)} got worse${since};${share}${where}${mechanism}${evidence ? ` (${evidence})` : ''}${change ? `, after ${change.event.title}` : ''}; ${finding.confidence} confidence.`
}

export function FindingCard({ finding }: { finding: Finding }): ReactNode {
  const open = finding.closed === null
  return (
    <article className={`finding ${open ? finding.verdict : 'closed'}`}>
      <p className="sentence">
        <a href={href(`/why/${encodeURIComponent(finding.id)}`)}>{findingText(finding)}</a>
      </p>
      <div className="finding-facts">
        <ShareBar finding={finding} />
        <span title="Requests made bad by it">{count(finding.bad_requests)} bad requests</span>
        <span title="Seconds that requests took longer than expected">{duration(finding.excess_seconds)} of extra waiting</span>
        {finding.share_explained !== null && <span>explains {percent(finding.share_explained.value)}</span>}
        <code title={formatSlice(finding.slice, 400)}>{formatSlice(finding.slice, 60) || 'whole fleet'}</code>
      </div>
    </article>
  )
}

export function ShareBar({ finding }: { finding: Finding }): ReactNode {
  const parts = finding.phases.filter((phase) => phase.share > 0.01)
  if (parts.length === 0) return null
  return (
    <span className="share-bar" role="img" aria-label={parts.map((part) => `${phaseTitle(part.phase)} ${percent(part.share)}`).join(', ')}>
      {parts.map((part) => (
        <span
          key={part.phase}
          title={`${phaseTitle(part.phase)} ${percent(part.share)}`}
          style={{ width: `${Math.min(100, part.share * 100)}%`, background: phaseColour(part.phase) }}
        />
      ))}
    </span>
  )
}
