// Decode: are tokens slow because batches are larger, because steps are slower, or because streams stall?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { pace } from './pace.ts'
import { speculation } from './speculation.ts'

const q = createQueries(['cluster', 'model', 'pool', 'replica', 'region', 'tenant_class', 'prompt_class'])

export const decode: Board = {
  name: 'decode',
  title: 'Decode',
  answers: 'Are tokens slow because batches are larger, because steps are slower, or because streams stall?',
  rows: [pace(q), speculation(q)],
  onward: ['fleet-overview', 'queue-and-capacity', 'experts-and-ranks', 'replica'],
}
