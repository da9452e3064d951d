// Change events beside a case: shortly before the onset somebody deploys to a part of the fleet where nothing happens, somebody changes a
// setting everywhere, and where there is a fault its own part of the fleet was changed too.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Slice } from '@longpole/model/finding'
import type { TruthCase } from '../case.ts'
import { createRandom } from './random.ts'

/** Parts of the fleet that can be changed. */
const CHANGED = ['replica', 'route', 'client_region', 'gateway']

export function withChanges(given: TruthCase): TruthCase {
  const { question, truth, seed, table } = given
  const random = createRandom(seed * 101 + given.family.length)
  const from = question.incident.from
  const own = truth.kind === 'fault' ? truth.slices[0] : undefined
  const dimension = CHANGED[random.integer(CHANGED.length)] as string
  const values = (table.dimensions.get(dimension)?.values ?? []).filter(
    (value) => !truth.slices.some((slice) => slice[dimension]?.includes(value)),
  )
  const elsewhere = { [dimension]: [[...values].sort()[random.integer(values.length)] as string] }
  const events = [
    changeEvent('elsewhere', 'deploy', from - 5 - 40 * random.next(), elsewhere),
    changeEvent('everywhere', 'config', from - 5 - 40 * random.next(), {}),
    ...(own === undefined ? [] : [changeEvent('own', 'deploy', from - 5 - 60 * random.next(), own)]),
  ]
  const changes = { guilty: truth.slices.length === 1 ? 'own' : null, innocent: ['elsewhere', 'everywhere'] }
  return { ...given, question: { ...question, events }, truth: { ...truth, changes } }
}

function changeEvent(id: string, kind: ChangeEvent['kind'], at: number, scope: Slice): ChangeEvent {
  return {
    id,
    kind,
    unix_ns: BigInt(Math.round(at * 1000)) * 1_000_000n,
    scope,
    title: id,
    source: 'api',
    from_value: null,
    to_value: null,
  }
}
