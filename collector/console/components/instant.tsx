// An instant in the viewer's zone, with UTC in the title.
import type { ReactNode } from 'react'
import { clock, utc } from '../format.ts'

export function Instant({ at, seconds = true }: { at: string | number; seconds?: boolean }): ReactNode {
  return (
    <time dateTime={utc(at)} title={utc(at)}>
      {clock(at, seconds)}
    </time>
  )
}
