// Findings and changes: the history, the user's verdicts, and the accuracy measured from them in this installation.
import type { ReactNode } from 'react'
import { useAccuracy, useEvents, useFindings } from '../api/queries.ts'
import { Instant } from '../components/instant.tsx'
import { Answered, Empty } from '../components/states.tsx'
import { VerdictButtons } from '../components/verdict-buttons.tsx'
import { percent } from '../format.ts'
import { href } from '../router.ts'
import { findingText } from '../sentences.ts'

export function AlertsPage(): ReactNode {
  const findings = useFindings({ limit: 200 })
  const events = useEvents()
  const accuracy = useAccuracy().data
  const judged = (accuracy?.right ?? 0) + (accuracy?.wrong ?? 0)
  const items = findings.data?.items ?? []
  return (
    <>
      <h1>Findings and changes</h1>
      <p>
        {judged === 0
          ? 'No finding has been judged yet; your word below becomes the accuracy reported here.'
          : `In this installation ${percent((accuracy?.right ?? 0) / judged)} of ${judged} judged findings were right; ${accuracy?.unanswered ?? 0} are not judged.`}
      </p>
      <Answered query={findings} height={300}>
        {items.length === 0 ? (
          <Empty title="Nothing has been found yet">
            <p>
              The localizer compares the last minutes with the hour before, for every model and objective. When latency moves, the answer
              appears here and on the first page.
            </p>
          </Empty>
        ) : (
          <ul className="history">
            {items.map((finding) => (
              <li key={finding.id} className={finding.closed === null ? 'open' : 'closed'}>
                <p>
                  <Instant at={finding.opened} seconds={false} />{' '}
                  <span className="chip">{finding.closed === null ? 'open' : 'closed'}</span>{' '}
                  <span className="chip">{finding.verdict.replace('_', ' ')}</span>{' '}
                  <a href={href(`/why/${encodeURIComponent(finding.id)}`)}>{findingText(finding)}</a>
                </p>
                <VerdictButtons finding={finding.id} />
              </li>
            ))}
          </ul>
        )}
      </Answered>
      <section>
        <h2>Changes</h2>
        <Answered query={events}>
          {(events.data?.items ?? []).length === 0 ? (
            <p className="muted">
              None. Post one: <code>longpole event --kind deploy --title "router 4812" --scope replica=a,b</code>
            </p>
          ) : (
            <ul className="events">
              {events.data?.items.map((event) => (
                <li key={event.id}>
                  <Instant at={event.unix_ns} seconds={false} /> <span className="chip">{event.kind}</span> {event.title}{' '}
                  <span className="muted">from {event.source}</span>
                </li>
              ))}
            </ul>
          )}
        </Answered>
      </section>
    </>
  )
}
