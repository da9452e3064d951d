// Since when, and what changed: the target over time with the onset and every change event, then the changes by how well they fit.
import type { ApiEvent } from '@longpole/model/api'
import type { Finding } from '@longpole/model/finding'
import { type ReactNode, useMemo } from 'react'
import { useEvents, useSeries } from '../api/queries.ts'
import { type Line, LineChart } from '../charts/line-chart.tsx'
import type { Mark } from '../charts/marks.ts'
import { ago, duration, percent, toMs } from '../format.ts'
import { incidentOf } from '../measures.ts'
import { Instant } from './instant.tsx'
import { Answered } from './states.tsx'
import { Table } from './table.tsx'

/** Shown before the onset. */
const BEFORE_SECONDS = 1_800
/** A change that came so long after the onset cannot have made it: the end of its interval is this inexact at most. */
const AFTER_SECONDS = 120
const MAX_CHANGES = 20

export function TimeLine({ finding }: { finding: Finding }): ReactNode {
  const onset = toMs(finding.onset?.at ?? finding.opened) / 1e3
  const incident = incidentOf(finding)
  const { column } = incident
  const from = incident.from - BEFORE_SECONDS
  const to = incident.to + 60
  const dimension = Object.keys(finding.slice)[0]
  const blamed = dimension === undefined ? '' : (finding.slice[dimension] ?? []).join('|')
  const series = useSeries({ column, from, to, model: finding.model, by: dimension ?? null, highlight: blamed })
  const events = useEvents({ from, to }).data?.items
  const hasOnset = finding.onset !== null
  // The chart is made anew only when what it shows is another: an answer that says the same must not cost a redraw.
  const lines = useMemo(() => linesOf(series.data?.lines ?? [], blamed), [series.data, blamed])
  const marks = useMemo(() => marksOf(hasOnset ? onset : null, events ?? []), [hasOnset, onset, events])
  return (
    <section>
      <h2>Since when</h2>
      {finding.onset !== null && (
        <p>
          It began at <Instant at={finding.onset.at} />, between <Instant at={finding.onset.low} /> and <Instant at={finding.onset.high} />.
        </p>
      )}
      <Answered query={series} height={260}>
        {lines.length === 0 ? (
          <p className="muted">No requests in this window are left in the store.</p>
        ) : (
          <LineChart times={series.data?.times ?? []} lines={lines} marks={marks} label={`Mean ${column} over time`} />
        )}
      </Answered>
      <WhatChanged finding={finding} events={(events ?? []).filter((event) => toMs(event.unix_ns) / 1e3 <= onset + AFTER_SECONDS)} />
    </section>
  )
}

function linesOf(lines: readonly { name: string; values: (number | null)[] }[], blamed: string): Line[] {
  const names = new Set(blamed.split('|'))
  return lines.map(({ name, values }) => ({
    name,
    values,
    colour: blamed === '' ? '#0072B2' : names.has(name) ? '#D55E00' : '#94A3B8',
  }))
}

function marksOf(onset: number | null, events: readonly ApiEvent[]): Mark[] {
  return [
    ...(onset === null ? [] : [{ at: onset, label: 'onset', kind: 'onset' as const }]),
    ...events.map((event) => ({ at: toMs(event.unix_ns) / 1e3, label: event.title, kind: 'change' as const })),
  ]
}

/** The changes that fit first, then all others that came before the onset; those say that nothing was forgotten. */
function WhatChanged({ finding, events }: { finding: Finding; events: readonly ApiEvent[] }): ReactNode {
  const fitting = new Set(finding.changes.map((change) => change.event.id))
  const others = events
    .filter((event) => !fitting.has(event.id))
    .sort((a, b) => toMs(b.unix_ns) - toMs(a.unix_ns))
    .slice(0, MAX_CHANGES)
  return (
    <>
      <h2>What changed</h2>
      {finding.changes.length === 0 ? (
        <p>{others.length === 0 ? 'No change is known from the half hour before it began.' : 'No change fits the slice and the time.'}</p>
      ) : (
        <Table
          label="Changes"
          rows={finding.changes}
          keyOf={(change) => change.event.id}
          columns={[
            { title: 'Change', kind: 'head', cell: (change) => change.event.title },
            { title: 'At', cell: (change) => <Instant at={change.event.at} /> },
            { title: 'Covers the slice', kind: 'number', cell: (change) => percent(change.overlap) },
            { title: 'Difference in differences', kind: 'number', cell: (change) => duration(change.difference) },
          ]}
        />
      )}
      {others.length > 0 && (
        <ul className="events">
          {others.map((event) => (
            <li key={event.id}>
              <Instant at={event.unix_ns} /> <span className="chip">{event.kind}</span> {event.title}{' '}
              <span className="muted">{ago(event.unix_ns)}; does not fit the slice</span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
