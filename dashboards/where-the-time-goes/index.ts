// Where the time goes: the stack of phases whose parts add up to what the user waited.
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { breakdown } from './breakdown.ts'
import { comparison } from './comparison.ts'
import { stack } from './stack.ts'
import { tail } from './tail.ts'

const q = createQueries(['cluster', 'region', 'model', 'pool', 'tenant_class', 'prompt_class'])

export const whereTheTimeGoes: Board = {
  name: 'where-the-time-goes',
  title: 'Where the time goes',
  answers: 'Of what a user waits, how much is each phase, on average and for the requests that missed their objective, and what changed?',
  rows: [stack(q), tail(q), comparison(q), breakdown(q)],
  onward: ['fleet-overview', 'bottlenecks', 'queue-and-capacity', 'prefill-and-kv-cache', 'decode', 'replica'],
}
