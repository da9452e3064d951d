// The user's word on a finding: it becomes the accuracy that this installation reports.
import type { ReactNode } from 'react'
import { useVerdict } from '../api/queries.ts'

const WORDS = ['right', 'wrong', 'known'] as const

export function VerdictButtons({ finding }: { finding: string }): ReactNode {
  const verdict = useVerdict()
  return (
    <fieldset className="verdicts" disabled={verdict.isPending}>
      <legend>Was it right?</legend>
      {WORDS.map((word) => (
        <button
          key={word}
          type="button"
          aria-pressed={verdict.variables?.verdict === word}
          onClick={() => verdict.mutate({ finding, verdict: word })}
        >
          {word}
        </button>
      ))}
      {verdict.isError && <span role="alert">{verdict.error.message}</span>}
      {verdict.isSuccess && <span>saved</span>}
    </fieldset>
  )
}
