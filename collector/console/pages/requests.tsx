// Requests: the live list, newest first, each as a phase waterfall; filters are in the address.
import type { ApiRequest } from '@longpole/model/api'
import type { ReactNode } from 'react'
import { useOpen, useRecent } from '../api/queries.ts'
import { Instant } from '../components/instant.tsx'
import { OpenStreams } from '../components/open-streams.tsx'
import { PhaseBar, PhaseLegend } from '../components/phases.tsx'
import { Scroll } from '../components/scroll.tsx'
import { Answered, Empty } from '../components/states.tsx'
import { count, duration } from '../format.ts'
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

export function RequestTable({ items, whole }: { items: readonly ApiRequest[]; whole: number }): ReactNode {
  return (
    <Scroll label="Settled requests">
      <table className="requests">
        <thead>
          <tr>
            <th scope="col">Start</th>
            <th scope="col">Model</th>
            <th scope="col">Replica</th>
            <th scope="col" className="number">
              Tokens in/out
            </th>
            <th scope="col" className="number">
              TTFT
            </th>
            <th scope="col" className="number">
              End to end
            </th>
            <th scope="col" className="wide">
              Phases
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.record_id}>
              <td>
                <a href={href(`/requests/${encodeURIComponent(item.record_id)}`)}>
                  <Instant at={item.start_unix_ns} />
                </a>
              </td>
              <td className="clip">{item.model ?? '–'}</td>
              <td className="clip">{item.replica ?? '–'}</td>
              <td className="number">
                {count(item.prompt_tokens)}/{count(item.output_tokens)}
              </td>
              <td className="number">{duration(item.ttft)}</td>
              <td className="number">{duration(item.e2e)}</td>
              <td className="wide">
                <PhaseBar parts={item.phases} whole={whole} />
              </td>
              <td className={item.outcome === 'ok' ? '' : 'warn'}>
                {item.error_class === null || item.outcome === 'ok' ? item.outcome : `${item.outcome}: ${item.error_class}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
