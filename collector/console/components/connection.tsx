// Says whether what is on the screen is fresh: a page that shows old numbers without saying so is worse than none.
import { type ReactNode, useEffect, useState } from 'react'
import { ApiFailure } from '../api/client.ts'
import { clock } from '../format.ts'

/** An answer that takes longer than this is worth a word. */
const SLOW_MS = 3_000

interface Asking {
  isError: boolean
  isFetching: boolean
  error: Error | null
  /** When the last answer came, Unix milliseconds; 0 before the first. */
  dataUpdatedAt: number
}

export function Connection({ asking }: { asking: Asking }): ReactNode {
  const { isError, isFetching, error, dataUpdatedAt } = asking
  const isSlow = useIsSlow(isFetching)
  const shown = dataUpdatedAt === 0 ? '' : `, showing ${clock(dataUpdatedAt / 1e3)}`
  if (isError) {
    const reason = error instanceof ApiFailure ? error.message : 'the hub does not answer'
    return (
      <output className="connection bad">
        <span className="dot bad" aria-hidden="true" /> {reason}
        {shown}, trying again
      </output>
    )
  }
  if (isSlow) {
    return (
      <output className="connection slow">
        <span className="dot slow" aria-hidden="true" /> the hub is slow{shown}
      </output>
    )
  }
  return (
    <output className="connection">
      <span className="dot ok" aria-hidden="true" /> {dataUpdatedAt === 0 ? 'connecting' : 'live'}
    </output>
  )
}

/** Whether an answer has been waited for too long. */
function useIsSlow(isFetching: boolean): boolean {
  const [isSlow, setIsSlow] = useState(false)
  useEffect(() => {
    setIsSlow(false)
    if (!isFetching) return
    const timer = setTimeout(() => setIsSlow(true), SLOW_MS)
    return () => clearTimeout(timer)
  }, [isFetching])
  return isSlow
}
