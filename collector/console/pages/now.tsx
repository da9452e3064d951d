// Now: is the fleet fine? The answer first, as sentences; then what supports it.
import type { ApiSummary } from '@longpole/model/api'
import type { ReactNode } from 'react'
import { useEvents, useOpen, useSummary } from '../api/queries.ts'
import { DemoFault } from '../components/demo-fault.tsx'
import { FindingCard } from '../components/finding.tsx'
import { Instant } from '../components/instant.tsx'
import { OpenStreams } from '../components/open-streams.tsx'
import { MeanBar, PhaseLegend } from '../components/phases.tsx'
import { Answered, Empty } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { ago, duration, percent, rate } from '../format.ts'
import { href } from '../router.ts'
import { attainments, headline, isSilent, load, MANY_ERRORS, openFindings } from '../sentences.ts'

export function NowPage(): ReactNode {
  const summary = useSummary()
  const data = summary.data
  return (
    <Answered query={summary} height={480}>
      {data !== undefined && (isSilent(data) ? <Nothing /> : <Fleet data={data} />)}
    </Answered>
  )
}

function Nothing(): ReactNode {
  return (
    <Empty title="No request has arrived yet">
      <p>The hub is up and waits for spans. Three ways in:</p>
      <ul>
        <li>
          <code>longpole demo</code> shows a simulated fleet.
        </li>
        <li>
          <code>longpole sidecar --upstream http://127.0.0.1:8000 --listen 127.0.0.1:8001 --hub http://127.0.0.1:4318</code> in front of
          your engine; send requests to port 8001.
        </li>
        <li>
          Any OpenTelemetry SDK with GenAI spans: <code>OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318</code>.
        </li>
      </ul>
      <p>
        <code>longpole doctor</code> says which part is missing.
      </p>
    </Empty>
  )
}

function Fleet({ data }: { data: ApiSummary }): ReactNode {
  const { tone, text } = headline(data)
  return (
    <>
      <section className={`headline ${tone}`} aria-live="polite">
        <h1>{text}</h1>
        <p>{load(data)}.</p>
      </section>
      {openFindings(data).map((finding) => (
        <FindingCard key={finding.id} finding={finding} />
      ))}
      <DemoFault />
      <Models data={data} />
      <div className="columns">
        <InFlight />
        <Changes />
      </div>
    </>
  )
}

function Models({ data }: { data: ApiSummary }): ReactNode {
  const longest = Math.max(0, ...data.models.map((model) => model.phases.reduce((sum, phase) => sum + phase.mean_seconds, 0)))
  return (
    <section>
      <h2>Models</h2>
      <Table
        label="Models"
        rows={data.models}
        keyOf={(model) => model.model}
        columns={[
          {
            title: 'Model',
            kind: 'head',
            cell: (model) => <a href={href('/explore', { model: model.model })}>{model.model || 'unknown model'}</a>,
          },
          { title: 'Objectives met', cell: (model) => <Attainment data={data} model={model.model} /> },
          { title: 'Requests', kind: 'number', cell: (model) => rate(model.requests_per_second) },
          {
            title: 'Errors',
            kind: 'number',
            cell: (model) => percent(model.error_ratio, 1),
            isWarning: (model) => model.error_ratio > MANY_ERRORS,
          },
          { title: 'TTFT p50', kind: 'number', cell: (model) => duration(model.ttft_p50) },
          { title: 'TTFT p99', kind: 'number', cell: (model) => duration(model.ttft_p99) },
          { title: 'TPOT p50', kind: 'number', cell: (model) => duration(model.tpot_p50) },
          {
            title: 'Where the mean request spends its time',
            kind: 'wide',
            cell: (model) => <MeanBar phases={model.phases} whole={longest} label={model.model} />,
          },
        ]}
      />
      <PhaseLegend
        phases={data.models.flatMap((model) => model.phases.filter((phase) => phase.mean_seconds > 0).map((phase) => phase.phase))}
      />
    </section>
  )
}

function Attainment({ data, model }: { data: ApiSummary; model: string }): ReactNode {
  const rows = attainments(data, model)
  if (rows.length === 0) return <span className="muted">no objective judged</span>
  return (
    <span className="chips">
      {rows.map((row) => {
        const missed = row.attainment < row.objective
        return (
          <span
            key={row.slo}
            className={`chip ${missed ? 'bad' : 'ok'}`}
            title={`${row.slo}: ${row.bad} of ${row.good + row.bad} bad; promised ${percent(row.objective, 1)}`}
          >
            {missed ? '✕' : '✓'} {row.slo} {percent(row.attainment, 1)}
          </span>
        )
      })}
    </span>
  )
}

function InFlight(): ReactNode {
  const open = useOpen()
  return (
    <section>
      <h2>In flight</h2>
      <Answered query={open}>
        <OpenStreams requests={open.data?.items ?? []} most={12} />
      </Answered>
      <p>
        <a href={href('/requests')}>All requests</a>
      </p>
    </section>
  )
}

function Changes(): ReactNode {
  const events = useEvents()
  const items = events.data?.items ?? []
  return (
    <section>
      <h2>Changes</h2>
      <Answered query={events}>
        {items.length === 0 ? (
          <p className="muted">
            No change event. Deploys and restarts are derived from the engines; post your own with <code>longpole event</code>.
          </p>
        ) : (
          <ul className="events">
            {items.map((event) => (
              <li key={event.id}>
                <Instant at={event.unix_ns} seconds={false} /> <span className="chip">{event.kind}</span> {event.title}{' '}
                <span className="muted">{ago(event.unix_ns)}</span>
              </li>
            ))}
          </ul>
        )}
      </Answered>
    </section>
  )
}
