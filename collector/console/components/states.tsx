// What a part shows while it waits, when it failed, and when there is nothing: each says what to do next, none makes the page jump.
import type { ReactNode } from 'react'
import { isPassing } from '../api/client.ts'

interface Answer {
  isPending: boolean
  isError: boolean
  error: Error | null
  data: unknown
}

/** Renders children when the answer is there; otherwise a block of the same height. */
export function Answered({ query, height = 120, children }: { query: Answer; height?: number; children: ReactNode }): ReactNode {
  if (query.data !== undefined) return children
  if (query.isError) {
    return (
      <div className="empty" role="alert">
        <p>
          Could not be loaded: {query.error?.message ?? 'no answer'}.{isPassing(query.error) ? ' It is tried again by itself.' : ''}
        </p>
      </div>
    )
  }
  return <div className="waiting" style={{ minHeight: height }} aria-busy="true" />
}

export function Empty({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** Copies a text that was made to be pasted into an incident channel. */
export function CopyButton({ text, label }: { text: string; label: string }): ReactNode {
  return (
    <button
      type="button"
      className="quiet"
      onClick={(event) => {
        const button = event.currentTarget
        void navigator.clipboard?.writeText(text).then(() => {
          button.textContent = 'Copied'
          setTimeout(() => {
            button.textContent = label
          }, 1_500)
        })
      }}
    >
      {label}
    </button>
  )
}
