// Client and network: is the time lost before and after the servers: DNS, TCP, TLS, upload, the way back?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { connect } from './connect.ts'
import { gap } from './gap.ts'

const q = createQueries(['model', 'cluster', 'region'])

export const clientAndNetwork: Board = {
  name: 'client-and-network',
  title: 'Client and network',
  answers: 'Is the time lost before and after the servers: DNS, TCP, TLS, upload, the way back?',
  rows: [gap(q), connect(q)],
  onward: ['fleet-overview', 'where-the-time-goes'],
}
