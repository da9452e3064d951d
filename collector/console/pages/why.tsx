// Why: one finding, checked. Opens on the sentence; then the bridge, the slice against its siblings, the time line, the evidence and the
// requests to look at.
import { type Finding, formatSlice } from '@longpole/model/finding'
import type { ReactNode } from 'react'
import { useFinding, useRecent } from '../api/queries.ts'
import { Bridge } from '../charts/bridge.tsx'
import { Answered, CopyButton, Empty } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { TimeLine } from '../components/time-line.tsx'
import { VerdictButtons } from '../components/verdict-buttons.tsx'
import { WhoIsHit } from '../components/who-is-hit.tsx'
import { ago, duration, percent, toMs } from '../format.ts'
import { incidentOf } from '../measures.ts'
import { href } from '../router.ts'
import { findingText, phaseTitle, sliceWords } from '../sentences.ts'

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
        </section>
        <section>
          <h2>Where</h2>
          <Where finding={finding} />
        </section>
      </div>
      <TimeLine finding={finding} />
      <div className="columns">
        <TrafficOrUs finding={finding} />
        <WhoIsHit finding={finding} />
        <Evidence finding={finding} />
        <Next finding={finding} />
      </div>
      <Exemplars finding={finding} />
    </>
  )
}

function explorePlace(finding: Finding): Record<string, string | null> {
  const { column, from, to } = incidentOf(finding)
  return { model: finding.model, from: String(from), to: String(to), column }
}

/** Whether the fleet serves the same requests worse, or other requests came. */
function TrafficOrUs({ finding }: { finding: Finding }): ReactNode {
  const isTraffic = finding.verdict === 'workload_shift'
  const share = finding.share_explained?.value ?? null
  return (
    <section>
      <h2>Us or the traffic?</h2>
      <p>
        {isTraffic
          ? 'The traffic: requests changed, and each is served as well as before.'
          : `Us: requests of the same size wait longer than before${share === null ? '' : `, and this slice explains ${percent(share)} of it`}.`}
      </p>
      {finding.workload.length === 0 ? (
        <p className="muted">The workload did not move enough to matter.</p>
      ) : (
        <>
          <h3>What moved in the workload</h3>
          <ul>
            {finding.workload.map((entry) => (
              <li key={entry.dimension + entry.description}>{entry.description}</li>
            ))}
          </ul>
        </>
      )}
    </section>
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
        <Table
          label="Siblings"
          rows={finding.siblings.slice(0, 8)}
          keyOf={(sibling) => formatSlice(sibling.slice)}
          columns={[
            { title: 'Beside it', kind: 'head', cell: (sibling) => sliceWords(sibling.slice) },
            { title: 'Observed over expected', kind: 'number', cell: (sibling) => `${sibling.ratio.toFixed(2)}×` },
          ]}
        />
      )}
    </>
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
