// Who is hit: the requests of the slice since the onset by tenant, route or another dimension of whoever sent them.
import type { Finding } from '@longpole/model/finding'
import { type ReactNode, useState } from 'react'
import { useBreakdown } from '../api/queries.ts'
import { count, duration, percent } from '../format.ts'
import { incidentOf } from '../measures.ts'
import { href } from '../router.ts'
import { Answered } from './states.tsx'
import { Table } from './table.tsx'

const SENDERS = ['tenant', 'tenant_class', 'route', 'client_region', 'adapter', 'prompt_class'] as const
const MOST = 8

export function WhoIsHit({ finding }: { finding: Finding }): ReactNode {
  const [sender, setSender] = useState<(typeof SENDERS)[number]>('tenant')
  const { column, from, to } = incidentOf(finding)
  const selection = { from, to: to + 1, model: finding.model, ...finding.slice }
  const hit = useBreakdown({ column, dimension: sender, ...selection })
  const rows = hit.data?.rows.slice(0, MOST) ?? []
  const whole = hit.data?.rows.reduce((sum, row) => sum + row.requests, 0) ?? 0
  return (
    <section>
      <h2>Who is hit</h2>
      <label>
        by{' '}
        <select value={sender} onChange={(event) => setSender(event.target.value as (typeof SENDERS)[number])}>
          {SENDERS.map((name) => (
            <option key={name} value={name}>
              {name.replace('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <Answered query={hit} height={200}>
        {rows.length === 0 ? (
          <p className="muted">No request of the slice is left in the store.</p>
        ) : (
          <Table
            label="Who is hit"
            rows={rows}
            keyOf={(row) => row.value}
            columns={[
              {
                title: sender.replace('_', ' '),
                kind: 'head',
                cell: (row) => <a href={href('/requests', placeOf(selection, sender, row.value))}>{row.value || 'unknown'}</a>,
              },
              { title: 'Requests', kind: 'number', cell: (row) => count(row.requests) },
              { title: 'Share', kind: 'number', cell: (row) => percent(row.requests / whole) },
              { title: `${column} p50`, kind: 'number', cell: (row) => duration(row.p50) },
              { title: 'p99', kind: 'number', cell: (row) => duration(row.p99) },
            ]}
          />
        )}
      </Answered>
    </section>
  )
}

function placeOf(selection: Record<string, unknown>, sender: string, value: string): Record<string, string> {
  // An address holds one value a name; a slice of several values is shown by its first.
  const single = Object.entries(selection).map(([name, given]) => [name, String(Array.isArray(given) ? given[0] : (given ?? ''))])
  return { ...Object.fromEntries(single), [sender]: value }
}
