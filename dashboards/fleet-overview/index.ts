// Fleet overview: the first board, the one a page opens on.
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { objectives } from './objectives.ts'
import { traffic } from './traffic.ts'
import { wrongNow } from './wrong-now.ts'

const q = createQueries(['cluster', 'region', 'model'])

export const fleetOverview: Board = {
  name: 'fleet-overview',
  title: 'Fleet overview',
  answers: 'Is the fleet fine, and if not: which phase of which slice is to blame, since when?',
  rows: [wrongNow(q), objectives(q), traffic(q)],
  onward: ['where-the-time-goes', 'bottlenecks', 'queue-and-capacity', 'replica', 'client-and-network'],
}
