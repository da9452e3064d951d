// A finding as one sentence that can be read aloud, and its small picture.
import { type Finding, formatSlice } from '@longpole/model/finding'
import type { ReactNode } from 'react'
import { count, duration, percent } from '../format.ts'
import { href } from '../router.ts'
import { findingText, phaseTitle } from '../sentences.ts'
import { phaseColour } from './phases.tsx'

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
