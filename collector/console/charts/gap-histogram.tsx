// Gaps between chunks as bars on a logarithmic axis; gaps far above the typical one are stalls and marked.
import { exponentialUpperBound } from '@longpole/model/conventions/buckets'
import type { ReactNode } from 'react'
import { duration } from '../format.ts'

/** A gap above this many times the typical one is a stall. */
const STALL = 10

export function GapHistogram({ buckets, typical }: { buckets: Record<string, number> | null; typical: number | null }): ReactNode {
  const entries = Object.entries(buckets ?? {})
    .map(([index, count]) => ({ bound: exponentialUpperBound(Number(index)), count }))
    .sort((a, b) => a.bound - b.bound)
  if (entries.length === 0) return <p className="muted">No gaps were recorded.</p>
  const highest = Math.max(...entries.map((entry) => entry.count))
  const stalls =
    typical === null ? 0 : entries.filter((entry) => entry.bound > STALL * typical).reduce((sum, entry) => sum + entry.count, 0)
  return (
    <figure>
      <div className="bars" role="img" aria-label={`Gaps from ${duration(entries[0]?.bound)} to ${duration(entries.at(-1)?.bound)}`}>
        {entries.map((entry) => (
          <span
            key={entry.bound}
            title={`≤ ${duration(entry.bound)}: ${entry.count}`}
            className={typical !== null && entry.bound > STALL * typical ? 'stall' : ''}
            style={{ height: `${Math.max(3, (Math.log1p(entry.count) / Math.log1p(highest)) * 100)}%` }}
          />
        ))}
      </div>
      <figcaption>
        {duration(entries[0]?.bound)} … {duration(entries.at(-1)?.bound)}, logarithmic both ways{stalls > 0 ? `; ${stalls} stalled` : ''}
      </figcaption>
    </figure>
  )
}
