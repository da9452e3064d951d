// Why: one finding, checked. Opens on the sentence; then the bridge, the slice against its siblings, the time line, the evidence and the
// requests to look at.
import { type Finding, formatSlice } from '@longpole/model/finding'
import type { ReactNode } from 'react'
import { useEvents, useFinding, useRecent, useSeries } from '../api/queries.ts'
import { Bridge } from '../charts/bridge.tsx'
import { type Line, LineChart } from '../charts/line-chart.tsx'
import type { Mark } from '../charts/marks.ts'
import { Instant } from '../components/instant.tsx'
import { Scroll } from '../components/scroll.tsx'
import { Answered, CopyButton, Empty } from '../components/states.tsx'
import { VerdictButtons } from '../components/verdict-buttons.tsx'
import { ago, duration, percent, toMs } from '../format.ts'
import { href } from '../router.ts'
import { findingText, phaseTitle, sliceWords } from '../sentences.ts'

/** Minutes shown before the onset. */
const BEFORE_SECONDS = 1_800

export function WhyPage({ id }: { id: string }): ReactNode {
  const answer = useFinding(id)
  const finding = answer.data
  if (answer.isError && finding === undefined) {
    return (
      <Empty title="This finding is not in the store">
        <p>{answer.error.message}. It may have aged out.</p>
        <p>
          <a href={href('/alerts')}>All findings</a>
        </p>
      </Empty>
    )
  }
  return (
    <Answered query={answer} height={600}>
      {finding !== undefined && <Why finding={finding} />}
    </Answered>
  )
}

/** The same question for a terminal. */
export function whyCommand(finding: Finding): string {
  const from = finding.onset?.at ?? finding.opened
  const to = finding.closed ?? finding.updated
  return `longpole why${finding.model ? ` --model '${finding.model}'` : ''} --target ${finding.target.column} --incident ${from}..${to}`
}

function Why({ finding }: { finding: Finding }): ReactNode {
  const text = findingText(finding)
  return (
    <>
      <section className={`headline ${finding.closed === null ? 'bad' : 'fine'}`}>
        <h1>{text}</h1>
        <p>
          Opened {ago(finding.opened)}
          {finding.closed !== null && <>, closed {ago(finding.closed)}</>} · {finding.confidence} confidence ({percent(finding.probability)}
          ) · {finding.bad_requests} bad requests · {duration(finding.excess_seconds)} of extra waiting
        </p>
        <div className="actions">
          <CopyButton text={`${text}\n${location.href}`} label="Copy for the incident channel" />
          <CopyButton text={whyCommand(finding)} label="Copy the command" />
          <a href={href('/explore', explorePlace(finding))}>Explore this window</a>
          <VerdictButtons finding={finding.id} />
        </div>
      </section>
      <div className="columns">
        <section>
          <h2>What grew</h2>
          <Bridge finding={finding} />
          <Workload finding={finding} />
        </section>
        <section>
          <h2>Where</h2>
          <Where finding={finding} />
        </section>
      </div>
      <TimeLine finding={finding} />
      <div className="columns">
        <Evidence finding={finding} />
        <Next finding={finding} />
      </div>
      <Exemplars finding={finding} />
    </>
  )
}

function explorePlace(finding: Finding): Record<string, string | null> {
  const onset = toMs(finding.onset?.at ?? finding.opened) / 1e3
  return {
    model: finding.model,
    from: String(Math.round(onset)),
    to: String(Math.round(toMs(finding.closed ?? finding.updated) / 1e3)),
    column: finding.target.column,
  }
}

function Workload({ finding }: { finding: Finding }): ReactNode {
  if (finding.workload.length === 0) return <p className="muted">The workload did not move enough to matter.</p>
  return (
    <>
      <h3>Workload</h3>
      <ul>
        {finding.workload.map((entry) => (
          <li key={entry.dimension + entry.description}>{entry.description}</li>
        ))}
      </ul>
    </>
  )
}

function Where({ finding }: { finding: Finding }): ReactNode {
  return (
    <>
      <p>
        <strong>{sliceWords(finding.slice)}</strong>
      </p>
      {finding.aliases.length > 0 && (
        <p className="muted">The same requests under other names: {finding.aliases.map((alias) => formatSlice(alias, 80)).join('; ')}</p>
      )}
      {finding.siblings.length > 0 && (
        <Scroll label="Siblings">
          <table>
            <thead>
              <tr>
                <th scope="col">Beside it</th>
                <th scope="col" className="number">
                  Observed over expected
                </th>
              </tr>
            </thead>
            <tbody>
              {finding.siblings.slice(0, 8).map((sibling) => (
                <tr key={formatSlice(sibling.slice)}>
                  <th scope="row">{sliceWords(sibling.slice)}</th>
                  <td className="number">{sibling.ratio.toFixed(2)}×</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  )
}

function TimeLine({ finding }: { finding: Finding }): ReactNode {
  const onset = toMs(finding.onset?.at ?? finding.opened) / 1e3
  const from = Math.round(onset - BEFORE_SECONDS)
  const to = Math.round(toMs(finding.closed ?? finding.updated) / 1e3) + 60
  const dimension = Object.keys(finding.slice)[0]
  const column = ['ttft', 'tpot', 'e2e', 'itl_max'].includes(finding.target.column) ? finding.target.column : 'e2e'
  const series = useSeries({
    column,
    from,
    to,
    model: finding.model,
    by: dimension ?? null,
    highlight: dimension === undefined ? null : (finding.slice[dimension] ?? []).join('|'),
  })
  const events = useEvents({ from, to })
  const marks: Mark[] = [
    ...(finding.onset === null ? [] : [{ at: onset, label: 'onset', kind: 'onset' as const }]),
    ...(events.data?.items ?? []).map((event) => ({ at: toMs(event.unix_ns) / 1e3, label: event.title, kind: 'change' as const })),
  ]
  const blamed = new Set(dimension === undefined ? [] : (finding.slice[dimension] ?? []))
  const lines: Line[] = (series.data?.lines ?? []).map((line) => ({
    name: line.name,
    values: line.values,
    colour: blamed.has(line.name) ? '#D55E00' : blamed.size === 0 ? '#0072B2' : '#94A3B8',
  }))
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
      {finding.changes.length > 0 && (
        <Scroll label="Changes">
          <table>
            <thead>
              <tr>
                <th scope="col">Change</th>
                <th scope="col">At</th>
                <th scope="col" className="number">
                  Covers the slice
                </th>
                <th scope="col" className="number">
                  Difference in differences
                </th>
              </tr>
            </thead>
            <tbody>
              {finding.changes.map((change) => (
                <tr key={change.event.id}>
                  <th scope="row">{change.event.title}</th>
                  <td>
                    <Instant at={change.event.at} />
                  </td>
                  <td className="number">{percent(change.overlap)}</td>
                  <td className="number">{duration(change.difference)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  )
}

function Evidence({ finding }: { finding: Finding }): ReactNode {
  const { mechanism } = finding
  const list = (title: string, items: readonly string[]) =>
    items.length === 0 ? null : (
      <>
        <h3>{title}</h3>
        <ul>
          {items.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ul>
      </>
    )
  return (
    <section>
      <h2>Why it happens</h2>
      {mechanism === null ? <p className="muted">No mechanism fits the evidence.</p> : <p>{mechanism.name.replaceAll(/[_-]/g, ' ')}</p>}
      {list('For it', mechanism?.evidence_for ?? [])}
      {list('Against it', mechanism?.evidence_against ?? [])}
      {list('Would decide, but is missing', mechanism?.needs ?? [])}
    </section>
  )
}

function Next({ finding }: { finding: Finding }): ReactNode {
  return (
    <section>
      <h2>What to do next</h2>
      <p>{finding.next_check}</p>
      <h3>Looked at</h3>
      <p>{finding.looked_at.join(', ') || '–'}</p>
      {finding.not_seen.length > 0 && (
        <>
          <h3>Could not be seen</h3>
          <ul>
            {finding.not_seen.map((item) => (
              <li key={item}>{item}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function Exemplars({ finding }: { finding: Finding }): ReactNode {
  const window = {
    from: Math.round(toMs(finding.onset?.at ?? finding.opened) / 1e3),
    to: Math.round(toMs(finding.closed ?? finding.updated) / 1e3),
    model: finding.model,
  }
  const slice = finding.slice
  const order = finding.target.column === 'ttft' ? 'ttft' : 'e2e'
  const inside = useRecent({ limit: 50, order, ...window, ...slice }, false).data?.items ?? []
  const peers = useRecent({ limit: 50, outcome: 'ok', ...window }, false).data?.items ?? []
  const ids = new Set(inside.map((item) => item.record_id))
  const good = peers.filter((item) => !ids.has(item.record_id)).sort((a, b) => (a.e2e ?? 0) - (b.e2e ?? 0))
  const picks = [
    { label: 'worst', request: inside[0] },
    { label: 'median bad', request: inside[Math.floor(inside.length / 2)] },
    { label: 'good peer', request: good[Math.floor(good.length / 2)] },
  ].filter((pick) => pick.request !== undefined)
  return (
    <section>
      <h2>Requests to look at</h2>
      {picks.length === 0 ? (
        <p className="muted">None left in the store.</p>
      ) : (
        <ul>
          {picks.map(({ label, request }) => (
            <li key={label}>
              <a href={href(`/requests/${encodeURIComponent(request?.record_id ?? '')}`)}>{label}</a>: {duration(request?.e2e)} end to end,
              TTFT {duration(request?.ttft)}, mostly{' '}
              {phaseTitle([...(request?.phases ?? [])].sort((a, b) => b.seconds - a.seconds)[0]?.phase ?? 'unattributed').toLowerCase()}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
