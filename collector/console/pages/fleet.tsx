// Fleet: regions → pools → replicas as tiles coloured by excess over expectation, not by raw latency; transfers; streams in flight.
import type { ApiFleet } from '@longpole/model/api'
import type { ReactNode } from 'react'
import { useFleet, useOpen } from '../api/queries.ts'
import { OpenStreams } from '../components/open-streams.tsx'
import { Answered, Empty } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { ago, count, duration, percent, rate } from '../format.ts'
import { href } from '../router.ts'

type Replica = ApiFleet['replicas'][number]

/** Five steps that are told apart by lightness too, and named for a screen reader. */
function level(replica: Replica): { name: string; words: string } {
  if (!replica.up) return { name: 'down', words: 'down' }
  if (replica.excess === null) return { name: 'unknown', words: 'too few requests' }
  if (replica.excess < 0.15) return { name: 'fine', words: 'as expected' }
  if (replica.excess < 0.5) return { name: 'warm', words: `${percent(replica.excess)} slower than expected` }
  return { name: 'hot', words: `${percent(replica.excess)} slower than expected` }
}

export function FleetPage(): ReactNode {
  const fleet = useFleet()
  const open = useOpen()
  const replicas = fleet.data?.replicas ?? []
  return (
    <>
      <h1>Fleet</h1>
      <ul className="legend">
        {[
          ['fine', 'as expected for its workload'],
          ['warm', '15 to 50 % slower'],
          ['hot', 'more than 50 % slower'],
          ['unknown', 'too few requests'],
          ['down', 'down'],
        ].map(([name, words]) => (
          <li key={name}>
            <span className={`swatch tile ${name}`} aria-hidden="true" /> {words}
          </li>
        ))}
      </ul>
      <Answered query={fleet} height={400}>
        {replicas.length === 0 ? (
          <Empty title="No replica is known">
            <p>
              Replicas appear when a sidecar reports or a request is served. Start one:{' '}
              <code>longpole sidecar --upstream URL --listen HOST:PORT --hub URL</code>
            </p>
          </Empty>
        ) : (
          <div className="groups">
            <Regions replicas={replicas} />
          </div>
        )}
      </Answered>
      <Transfers transfers={fleet.data?.transfers ?? []} />
      <section>
        <h2>In flight</h2>
        <OpenStreams requests={open.data?.items ?? []} most={25} />
      </section>
    </>
  )
}

function Regions({ replicas }: { replicas: readonly Replica[] }): ReactNode {
  const groups = new Map<string, Replica[]>()
  for (const replica of replicas) {
    const key = [replica.region ?? 'unknown region', replica.cluster, replica.model, replica.pool].filter(Boolean).join(' · ')
    groups.set(key, [...(groups.get(key) ?? []), replica])
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, members]) => (
      <section key={name} className="group">
        <h2>{name}</h2>
        <ul className="tiles">
          {members.map((replica) => {
            const { name: tone, words } = level(replica)
            return (
              <li key={`${replica.replica}${replica.model}`}>
                <a
                  className={`tile ${tone}`}
                  href={href('/explore', { replica: replica.replica, by: 'tenant' })}
                  title={`${replica.replica}: ${words}; seen ${ago(replica.last_seen_unix_ns)}`}
                >
                  <strong>{replica.replica}</strong>
                  <span>{words}</span>
                  <span>
                    {rate(replica.requests_per_second)} · TTFT {duration(replica.ttft_p50)} / {duration(replica.ttft_p99)}
                  </span>
                  <span>
                    {count(replica.running)} running, {count(replica.waiting)} waiting, KV {percent(replica.kv_usage)}
                  </span>
                </a>
              </li>
            )
          })}
        </ul>
      </section>
    ))
}

function Transfers({ transfers }: { transfers: ApiFleet['transfers'] }): ReactNode {
  if (transfers.length === 0) return null
  return (
    <section>
      <h2>KV transfer, prefill → decode</h2>
      <Table
        label="KV transfers"
        rows={transfers}
        keyOf={(pair) => `${pair.source}→${pair.destination}`}
        columns={[
          { title: 'From', cell: (pair) => pair.source },
          { title: 'To', cell: (pair) => pair.destination },
          { title: 'Transfers', kind: 'number', cell: (pair) => count(pair.count) },
          { title: 'p50', kind: 'number', cell: (pair) => duration(pair.seconds_p50) },
          { title: 'p99', kind: 'number', cell: (pair) => duration(pair.seconds_p99) },
        ]}
      />
    </section>
  )
}
