// Replica: is this replica different from its peers, and in which phase?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { againstPeers } from './against-peers.ts'
import { state } from './state.ts'

const q = createQueries(['cluster', 'model', 'pool', 'replica'])

export const replica: Board = {
  name: 'replica',
  title: 'Replica',
  answers: 'Is this replica different from its peers, and in which phase?',
  rows: [againstPeers(q), state(q)],
  onward: ['fleet-overview', 'queue-and-capacity', 'prefill-and-kv-cache', 'decode'],
}
