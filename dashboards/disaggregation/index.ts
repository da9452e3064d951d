// Prefill/decode disaggregation: which pool is short, and does moving KV blocks between them cost time?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { pools } from './pools.ts'
import { transfers } from './transfers.ts'

const q = createQueries(['cluster', 'model', 'region'])

export const disaggregation: Board = {
  name: 'disaggregation',
  title: 'Prefill/decode disaggregation',
  answers: 'Which pool is short, and does moving KV blocks between them cost time?',
  rows: [pools(q), transfers(q)],
  onward: ['fleet-overview', 'queue-and-capacity', 'prefill-and-kv-cache', 'decode'],
}
