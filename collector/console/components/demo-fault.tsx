// Only in the demo: a button that makes the fleet ill, and one that heals it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { get, post } from '../api/client.ts'

interface DemoState {
  fault: string | null
  title: string
  faults: { id: string; title: string }[]
}

export function DemoFault(): ReactNode {
  const client = useQueryClient()
  const state = useQuery({
    queryKey: ['demo'],
    queryFn: ({ signal }) => get<DemoState | null>('demo', {}, signal),
    refetchInterval: (query) => (query.state.data ? 3_000 : false),
    retry: false,
  })
  const change = useMutation({
    mutationFn: (fault: string | null) => post('demo/fault', { fault }),
    onSettled: () => client.invalidateQueries({ queryKey: ['demo'] }),
  })
  if (!state.data) return null
  const { fault, title, faults } = state.data
  return (
    <section className="demo">
      <p>
        {fault === null ? 'This is a simulated fleet, and it is healthy. Make it ill and watch what Longpole says:' : `Injected: ${title}.`}
      </p>
      {fault === null ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            change.mutate(String(new FormData(event.currentTarget).get('fault')))
          }}
        >
          <label>
            Fault{' '}
            <select name="fault">
              {faults.map((entry) => (
                <option key={entry.id} value={entry.id}>
                  {entry.title}
                </option>
              ))}
            </select>
          </label>{' '}
          <button type="submit" disabled={change.isPending}>
            Make it ill
          </button>
        </form>
      ) : (
        <button type="button" onClick={() => change.mutate(null)} disabled={change.isPending}>
          Heal it
        </button>
      )}
    </section>
  )
}
