// Explore: choose a window by brushing, a slice by clicking; the comparison runs on the selection. All state is in the address.
import type { ApiWhyRequest } from '@longpole/model/api'
import type { ReactNode } from 'react'
import { useBreakdown, useHeatmap, useWhy } from '../api/queries.ts'
import { Heatmap, type Selection } from '../charts/heatmap.tsx'
import { FindingCard } from '../components/finding.tsx'
import { MeanBar, PhaseLegend } from '../components/phases.tsx'
import { Answered, Empty } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { clock, count, duration, percent } from '../format.ts'
import { MEASURES } from '../measures.ts'
import { href, setQuery, usePlace } from '../router.ts'

const DIMENSIONS = [
  'replica',
  'model',
  'region',
  'zone',
  'node',
  'pool',
  'tenant',
  'tenant_class',
  'route',
  'client_region',
  'engine_version',
  'revision',
  'adapter',
  'prompt_class',
  'gateway',
  'sdk_version',
  'rank',
  'outcome',
] as const
const RANGES = [900, 3_600, 10_800, 43_200, 86_400] as const
const FILTERS = new Set<string>(DIMENSIONS)

export function ExplorePage(): ReactNode {
  const { query } = usePlace()
  // An address may say anything; what the hub does not know is not asked.
  const column = MEASURES.find(({ id }) => id === query.get('column'))?.id ?? 'ttft'
  const by = DIMENSIONS.find((name) => name === query.get('by')) ?? 'replica'
  const range = RANGES.find((seconds) => seconds === Number(query.get('range'))) ?? 3_600
  const filters = Object.fromEntries([...query.entries()].filter(([name]) => FILTERS.has(name)))
  const selection = readSelection(query)
  const window = selection === null ? { seconds: range } : { seconds: Math.max(range, Math.ceil(Date.now() / 1e3 - selection.from) + 600) }
  const heat = useHeatmap({ column, seconds: Math.min(window.seconds, 172_800), ...filters })
  const rows = useBreakdown({
    column,
    dimension: by,
    ...filters,
    ...(selection === null ? { seconds: range } : { from: selection.from, to: selection.to }),
  })
  return (
    <>
      <h1>Explore</h1>
      <Controls column={column} by={by} range={range} filters={filters} selection={selection} />
      <Answered query={heat} height={300}>
        {heat.data !== undefined &&
          (heat.data.times.length === 0 ? (
            <Empty title="No requests in this window">
              <p>
                <a href={href('/explore', { range: '86400' })}>Look at the last day</a>
              </p>
            </Empty>
          ) : (
            <Heatmap
              data={heat.data}
              selected={selection}
              select={(chosen) =>
                setQuery(
                  chosen === null
                    ? { from: null, to: null, low: null, high: null }
                    : {
                        from: String(chosen.from),
                        to: String(chosen.to),
                        low: chosen.low > 0 ? String(chosen.low) : null,
                        high: String(chosen.high),
                      },
                  false,
                )
              }
            />
          ))}
      </Answered>
      <Sampled oneIn={heat.data?.one_in ?? 1} />
      {selection !== null && <Comparison question={questionOf(column, filters, selection)} />}
      <section>
        <h2>By {by.replace('_', ' ')}</h2>
        <Answered query={rows} height={240}>
          <Breakdown rows={rows.data?.rows ?? []} dimension={by} />
          <Sampled oneIn={rows.data?.one_in ?? 1} />
        </Answered>
      </section>
    </>
  )
}

function readSelection(query: URLSearchParams): Selection | null {
  const read = (name: string) => Number.parseFloat(query.get(name) ?? '')
  const [from, to, low, high] = [read('from'), read('to'), read('low'), read('high')]
  return from < to ? { from, to, low: low || 0, high: high || Number.POSITIVE_INFINITY } : null
}

/** What is drawn from a part of the window's requests says so. */
function Sampled({ oneIn }: { oneIn: number }): ReactNode {
  if (oneIn < 1.5) return null
  return <p className="muted">From one request in {Math.round(oneIn)}, taken evenly over the window; counts are multiplied by it.</p>
}

function questionOf(column: string, filters: Record<string, string>, selection: Selection): ApiWhyRequest {
  const { model, ...rest } = filters
  return {
    ...(model === undefined ? {} : { model }),
    target: column,
    quantile: 0.95,
    ...(Object.keys(rest).length === 0
      ? {}
      : { slice: Object.fromEntries(Object.entries(rest).map(([dimension, value]) => [dimension, [value]])) }),
    incident: { from: selection.from, to: selection.to },
  }
}

function Controls({
  column,
  by,
  range,
  filters,
  selection,
}: {
  column: string
  by: string
  range: number
  filters: Record<string, string>
  selection: Selection | null
}): ReactNode {
  return (
    <form className="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        measure{' '}
        <select value={column} onChange={(event) => setQuery({ column: event.target.value })}>
          {MEASURES.map((entry) => (
            <option key={entry.id} value={entry.id}>
              {entry.title}
            </option>
          ))}
        </select>
      </label>
      <label>
        group by{' '}
        <select value={by} onChange={(event) => setQuery({ by: event.target.value })}>
          {DIMENSIONS.map((name) => (
            <option key={name} value={name}>
              {name.replace('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <label>
        range{' '}
        <select
          value={String(range)}
          onChange={(event) => setQuery({ range: event.target.value, from: null, to: null, low: null, high: null })}
        >
          {RANGES.map((seconds) => (
            <option key={seconds} value={seconds}>
              last {duration(seconds)}
            </option>
          ))}
        </select>
      </label>
      {Object.entries(filters).map(([name, value]) => (
        <button key={name} type="button" className="chip" onClick={() => setQuery({ [name]: null })} title="Remove this filter">
          {name} = {value} ✕
        </button>
      ))}
      {selection !== null && (
        <button
          type="button"
          className="chip"
          onClick={() => setQuery({ from: null, to: null, low: null, high: null })}
          title="Remove the selection"
        >
          {clock(selection.from)} … {clock(selection.to)} ✕
        </button>
      )}
    </form>
  )
}

function Comparison({ question }: { question: ApiWhyRequest }): ReactNode {
  const why = useWhy(question)
  return (
    <section>
      <h2>The selection against before</h2>
      <Answered query={why} height={120}>
        {why.data !== undefined && (
          <>
            {why.data.findings.map((finding) => (
              <FindingCard key={finding.id} finding={finding} />
            ))}
            {why.data.findings.length === 0 && <p>Nothing differs from before.</p>}
            <p className="muted">
              {count(why.data.rows.incident)} requests against {count(why.data.rows.baseline)} before, in {duration(why.data.seconds)}
              {why.data.stored !== undefined && (
                <>
                  ; a sample of {count(why.data.stored.incident)} and {count(why.data.stored.baseline)}
                </>
              )}
            </p>
          </>
        )}
      </Answered>
    </section>
  )
}

type Rows = NonNullable<ReturnType<typeof useBreakdown>['data']>['rows']

function Breakdown({ rows, dimension }: { rows: Rows; dimension: string }): ReactNode {
  if (rows.length === 0) return <p className="muted">No request of this window has a value for it.</p>
  const whole = Math.max(0, ...rows.map((row) => row.phases.reduce((sum, phase) => sum + phase.mean_seconds, 0)))
  return (
    <>
      <Table
        label="Breakdown"
        rows={rows}
        keyOf={(row) => row.value}
        columns={[
          {
            title: dimension.replace('_', ' '),
            kind: 'head',
            cell: (row) => (
              <button type="button" className="link" onClick={() => setQuery({ [dimension]: row.value }, false)}>
                {row.value || '(none)'}
              </button>
            ),
          },
          { title: 'Requests', kind: 'number', cell: (row) => count(row.requests) },
          { title: 'Errors', kind: 'number', cell: (row) => percent(row.error_ratio, 1) },
          { title: 'p50', kind: 'number', cell: (row) => duration(row.p50) },
          { title: 'p99', kind: 'number', cell: (row) => duration(row.p99) },
          { title: 'Mean', kind: 'number', cell: (row) => duration(row.mean) },
          {
            title: 'Mean time by phase',
            kind: 'wide',
            cell: (row) => <MeanBar phases={row.phases} whole={whole} label={row.value} />,
          },
        ]}
      />
      <PhaseLegend phases={rows.flatMap((row) => row.phases.filter((phase) => phase.mean_seconds > 0).map((phase) => phase.phase))} />
    </>
  )
}
