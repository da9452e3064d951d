// Says whether what is on the screen is fresh: a page that shows old numbers without saying so is worse than none.
import type { ReactNode } from 'react'
import { ApiFailure } from '../api/client.ts'
import { clock } from '../format.ts'

export function Connection({ failed, error, updatedAt }: { failed: boolean; error: Error | null; updatedAt: number }): ReactNode {
  if (!failed) {
    return (
      <output className="connection">
        <span className="dot ok" aria-hidden="true" /> {updatedAt === 0 ? 'connecting' : 'live'}
      </output>
    )
  }
  const reason = error instanceof ApiFailure ? error.message : 'the hub does not answer'
  return (
    <output className="connection bad">
      <span className="dot bad" aria-hidden="true" /> {reason};{' '}
      {updatedAt === 0 ? 'trying again' : `showing ${clock(updatedAt / 1e3)}, trying again`}
    </output>
  )
}
