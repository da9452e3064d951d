// One request: the waterfall of its phases with source and exactness of every bar, tokens, attempts, hops, raw spans and its peers.
import type { ApiRequestDetail } from '@longpole/model/api'
import type { ReactNode } from 'react'
import { useRecent, useRequest } from '../api/queries.ts'
import { GapHistogram } from '../charts/gap-histogram.tsx'
import { Instant } from '../components/instant.tsx'
import { phaseColour, phaseDescription } from '../components/phases.tsx'
import { Scroll } from '../components/scroll.tsx'
import { SpanTree } from '../components/span-tree.tsx'
import { Answered, Empty } from '../components/states.tsx'
import { count, duration, percent } from '../format.ts'
import { href } from '../router.ts'
import { phaseTitle } from '../sentences.ts'

const EXACTNESS: Record<string, string> = { measured: '', upper_bound: '≤', residual: '≈' }

export function RequestPage({ id }: { id: string }): ReactNode {
  const request = useRequest(id)
  if (request.isError && request.data === undefined) {
    return (
      <Empty title="This request is not in the store">
        <p>{request.error.message}. It may have aged out, or it has not settled yet.</p>
        <p>
          <a href={href('/requests')}>All requests</a>
        </p>
      </Empty>
    )
  }
  return (
    <Answered query={request} height={600}>
      {request.data !== undefined && <Detail request={request.data} />}
    </Answered>
  )
}

function Detail({ request }: { request: ApiRequestDetail }): ReactNode {
  return (
    <>
      <h1>
        {request.model ?? 'Request'} <small className="muted">{request.record_id}</small>
      </h1>
      <Facts request={request} />
      <Waterfall request={request} />
      <div className="columns">
        <Tokens request={request} />
        <Peers request={request} />
      </div>
      <Parts request={request} />
      <section>
        <h2>Spans</h2>
        <SpanTree spans={request.spans ?? []} />
      </section>
    </>
  )
}

function Facts({ request }: { request: ApiRequestDetail }): ReactNode {
  const facts: [string, ReactNode][] = [
    ['Start', <Instant key="start" at={request.start_unix_ns} />],
    [
      'Outcome',
      `${request.outcome}${request.http_status === null ? '' : ` (${request.http_status})`}${request.error_class === null ? '' : `, ${request.error_class}`}`,
    ],
    ['End to end', duration(request.e2e)],
    ['TTFT', duration(request.ttft)],
    ['TPOT', duration(request.tpot)],
    ['Tokens', `${count(request.prompt_tokens)} in (${count(request.cached_tokens)} cached), ${count(request.output_tokens)} out`],
    ['Served by', [request.engine, request.engine_version, request.replica, request.region].filter(Boolean).join(' · ') || 'unknown'],
    ['Seen by', request.joined.join(', ')],
    ['Finish', request.finish_reason ?? '–'],
    ['Attempts', count(request.attempts)],
  ]
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Waterfall({ request }: { request: ApiRequestDetail }): ReactNode {
  const whole = request.e2e ?? request.phases.reduce((sum, phase) => sum + phase.seconds, 0)
  let at = 0
  return (
    <section>
      <h2>Phases</h2>
      <Scroll label="Phases">
        <table className="waterfall">
          <thead>
            <tr>
              <th scope="col">Phase</th>
              <th scope="col" className="wide">
                From start to end ({duration(whole)})
              </th>
              <th scope="col" className="number">
                Time
              </th>
              <th scope="col" className="number">
                Share
              </th>
              <th scope="col">Exactness</th>
              <th scope="col">Source</th>
            </tr>
          </thead>
          <tbody>
            {request.phases.map((phase) => {
              const start = at
              at += phase.seconds
              return (
                <tr key={phase.phase}>
                  <th scope="row" title={phaseDescription(phase.phase)}>
                    {phaseTitle(phase.phase)}
                  </th>
                  <td className="wide">
                    <span className="lane">
                      <span
                        className={phase.exactness}
                        style={{
                          marginLeft: `${(start / whole) * 100}%`,
                          width: `${Math.max(0.2, (phase.seconds / whole) * 100)}%`,
                          background: phaseColour(phase.phase),
                        }}
                      />
                    </span>
                  </td>
                  <td className="number">
                    {EXACTNESS[phase.exactness]} {duration(phase.seconds)}
                  </td>
                  <td className="number">{percent(phase.seconds / whole, 1)}</td>
                  <td>
                    {phase.exactness.replace('_', ' ')}
                    {phase.error_seconds === null ? '' : ` ± ${duration(phase.error_seconds)}`}
                  </td>
                  <td className="muted">
                    {phase.source}
                    {phase.parts !== undefined &&
                      ` (${Object.entries(phase.parts)
                        .map(([name, seconds]) => `${name} ${duration(seconds)}`)
                        .join(', ')})`}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Scroll>
      {request.overlays.length > 0 && (
        <p className="muted">
          Beside the sum: {request.overlays.map((overlay) => `${overlay.overlay} ${duration(overlay.seconds)}`).join(', ')}
        </p>
      )}
    </section>
  )
}

function Tokens({ request }: { request: ApiRequestDetail }): ReactNode {
  return (
    <section>
      <h2>Stream</h2>
      <p>
        {count(request.chunks)} chunks, longest gap {duration(request.itl_max)}. A chunk is not always one token.
      </p>
      <GapHistogram buckets={request.itl} typical={request.tpot} />
    </section>
  )
}

function Peers({ request }: { request: ApiRequestDetail }): ReactNode {
  const peers = useRecent({ limit: 400, model: request.model, prompt_class: request.prompt_class }, false)
  const values = (peers.data?.items ?? []).map((item) => item.e2e).filter((value): value is number => value !== null)
  const slower = values.filter((value) => value > (request.e2e ?? 0)).length
  return (
    <section>
      <h2>Its peers</h2>
      {values.length < 5 || request.e2e === null ? (
        <p className="muted">Too few requests of this model and prompt length to compare with.</p>
      ) : (
        <>
          <p>
            Slower than {percent(1 - slower / values.length)} of the last {values.length} requests of {request.model} with prompts of class{' '}
            {request.prompt_class ?? 'unknown'}.
          </p>
          <p>
            <a href={href('/requests', { model: request.model, prompt_class: request.prompt_class, order: 'e2e' })}>The slowest of them</a>
          </p>
        </>
      )}
    </section>
  )
}

function Parts({ request }: { request: ApiRequestDetail }): ReactNode {
  if (request.hops.length === 0 && request.attempt_list.length < 2) return null
  return (
    <section>
      <h2>Attempts and hops</h2>
      <ul>
        {request.attempt_list.map((attempt, index) => (
          <li key={attempt.span_id}>
            Attempt {index + 1}: {duration(attempt.seconds)}, {attempt.outcome} {attempt.http_status ?? ''} {attempt.error_class ?? ''}
          </li>
        ))}
        {request.hops.map((hop) => (
          <li key={hop.span_id}>
            {hop.pool} on {hop.replica} ({hop.engine}): {duration(hop.seconds)}
          </li>
        ))}
      </ul>
    </section>
  )
}
