// Requests in flight as bars that grow: age on a logarithmic scale, coloured by the phase they are in.
import type { ApiOpenRequest } from '@longpole/model/api'
import { type ReactNode, useEffect, useState } from 'react'
import { ageShare, duration, toMs } from '../format.ts'
import { phaseTitle } from '../sentences.ts'
import { phaseColour } from './phases.tsx'

/** Bars grow between two answers of the hub; this often, milliseconds. */
const TICK_MS = 500

function useNow(active: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!active) return
    const timer = setInterval(() => setNow(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [active])
  return now
}

/** 10 ms … 1,000 s onto 0 … 100 %. */
const width = (seconds: number): number => Math.max(1, 100 * ageShare(seconds))

export function OpenStreams({ requests, most }: { requests: readonly ApiOpenRequest[]; most: number }): ReactNode {
  const now = useNow(requests.length > 0)
  if (requests.length === 0) return <p className="muted">No request is in flight.</p>
  const oldest = [...requests].sort((a, b) => (a.start_unix_ns < b.start_unix_ns ? -1 : 1)).slice(0, most)
  return (
    <ul className="open">
      {oldest.map((request) => {
        const seconds = Math.max(
          request.age_seconds,
          (now - toMs(request.start_unix_ns)) / 1e3 > 86_400 ? request.age_seconds : (now - toMs(request.start_unix_ns)) / 1e3,
        )
        return (
          <li key={`${request.trace_id}${request.span_id}`} className={request.late.length > 0 ? 'late' : ''}>
            <span className="who" title={`${request.model ?? ''} on ${request.replica ?? 'unknown replica'}`}>
              {request.replica ?? request.model ?? 'unknown'}
            </span>
            <span className="track">
              <span style={{ width: `${width(seconds)}%`, background: phaseColour(request.phase) }} />
            </span>
            <span className="age">{duration(seconds)}</span>
            <span className="phase">
              {phaseTitle(request.phase)}
              {request.late.length > 0 && <strong title={`Past the deadline of ${request.late.join(', ')}`}> late</strong>}
            </span>
          </li>
        )
      })}
      {requests.length > most && <li className="muted">and {requests.length - most} more</li>}
    </ul>
  )
}
