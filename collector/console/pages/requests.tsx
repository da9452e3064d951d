// Requests: the live list, newest first, each as a phase waterfall; filters are in the address.
import type { ApiRequest } from '@longpole/model/api'
import type { ReactNode } from 'react'
import { useOpen, useRecent } from '../api/queries.ts'
import { Instant } from '../components/instant.tsx'
import { OpenStreams } from '../components/open-streams.tsx'
import { PhaseBar, PhaseLegend } from '../components/phases.tsx'
import { Answered, Empty } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { clock, count, duration, utc } from '../format.ts'
import { href, setQuery, usePlace } from '../router.ts'

const FILTERS = ['model', 'replica', 'region', 'tenant_class', 'prompt_class', 'outcome'] as const
const ORDERS = [
  { id: 'start', title: 'newest' },
  { id: 'e2e', title: 'slowest' },
  { id: 'ttft', title: 'slowest first token' },
] as const

export function RequestsPage(): ReactNode {
  const { query } = usePlace()
  const asked = Object.fromEntries([...query.entries()])
  const recent = useRecent({ limit: 100, ...asked })
  const open = useOpen()
  const items = recent.data?.items ?? []
  const whole = Math.max(0, ...items.map((item) => item.e2e ?? 0))
  return (
    <>
      <h1>Requests</h1>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        {FILTERS.map((name) => (
          <label key={name}>
            {name.replace('_', ' ')}{' '}
            <input
              key={query.get(name) ?? ''}
              name={name}
              defaultValue={query.get(name) ?? ''}
              onBlur={(event) => setQuery({ [name]: event.target.value })}
              onKeyDown={(event) => event.key === 'Enter' && setQuery({ [name]: event.currentTarget.value })}
            />
          </label>
        ))}
        <label>
          order{' '}
          <select
            value={query.get('order') ?? 'start'}
            onChange={(event) => setQuery({ order: event.target.value === 'start' ? null : event.target.value })}
          >
            {ORDERS.map((order) => (
              <option key={order.id} value={order.id}>
                {order.title}
              </option>
            ))}
          </select>
        </label>
        <OtherFilters query={query} />
      </form>
      <section>
        <h2>In flight ({count(open.data?.items.length ?? 0)})</h2>
        <OpenStreams requests={open.data?.items ?? []} most={20} />
      </section>
      <section>
        <h2>Settled</h2>
        <Answered query={recent} height={400}>
          {items.length === 0 ? (
            <Empty title="No request matches">
              <p>
                {query.size === 0 ? (
                  'Requests appear here five seconds after they ended.'
                ) : (
                  <a href={href('/requests')}>Show all requests</a>
                )}
              </p>
            </Empty>
          ) : (
            <>
              <PhaseLegend phases={items.flatMap((item) => item.phases.filter((phase) => phase.seconds > 0).map((phase) => phase.phase))} />
              <RequestTable items={items} whole={whole} />
            </>
          )}
        </Answered>
      </section>
    </>
  )
}

/** What a link may ask for and the form has no field for: the window, an objective that was met or missed, any other dimension. */
function OtherFilters({ query }: { query: URLSearchParams }): ReactNode {
  const shown = [...query.entries()].filter(([name]) => name !== 'order' && !FILTERS.some((filter) => filter === name))
  return shown.map(([name, value]) => (
    <button key={`${name}=${value}`} type="button" className="chip" onClick={() => setQuery({ [name]: null })} title="Remove this filter">
      {name} {name === 'from' || name === 'to' ? `${clock(toInstant(value))} (${utc(toInstant(value))})` : value} ✕
    </button>
  ))
}

/** The API takes Unix seconds as digits; everything else format.ts reads by itself. */
const toInstant = (text: string): string | number => (/^\d{1,10}(\.\d+)?$/.test(text) ? Number(text) : text)

export function RequestTable({ items, whole }: { items: readonly ApiRequest[]; whole: number }): ReactNode {
  return (
    <Table
      label="Settled requests"
      rows={items}
      keyOf={(item) => item.record_id}
      columns={[
        {
          title: 'Start',
          cell: (item) => (
            <a href={href(`/requests/${encodeURIComponent(item.record_id)}`)}>
              <Instant at={item.start_unix_ns} />
            </a>
          ),
        },
        { title: 'Model', kind: 'clip', cell: (item) => item.model ?? '–' },
        { title: 'Replica', kind: 'clip', cell: (item) => item.replica ?? '–' },
        { title: 'Tokens in/out', kind: 'number', cell: (item) => `${count(item.prompt_tokens)}/${count(item.output_tokens)}` },
        { title: 'TTFT', kind: 'number', cell: (item) => duration(item.ttft) },
        { title: 'End to end', kind: 'number', cell: (item) => duration(item.e2e) },
        { title: 'Phases', kind: 'wide', cell: (item) => <PhaseBar parts={item.phases} whole={whole} /> },
        {
          title: 'Outcome',
          kind: 'clip',
          cell: (item) => (item.error_class === null || item.outcome === 'ok' ? item.outcome : `${item.outcome}: ${item.error_class}`),
          isWarning: (item) => item.outcome !== 'ok',
        },
      ]}
    />
  )
}
