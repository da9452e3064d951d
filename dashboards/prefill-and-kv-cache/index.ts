// Prefill and KV cache: is prefill slow because tokens cost more, or because more tokens are not in the cache?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { cache } from './cache.ts'
import { costOfPrefill } from './cost-of-prefill.ts'

const q = createQueries(['cluster', 'model', 'pool', 'replica', 'region'])

export const prefillAndKvCache: Board = {
  name: 'prefill-and-kv-cache',
  title: 'Prefill and KV cache',
  answers: 'Is prefill slow because tokens cost more, or because more tokens are not in the cache?',
  rows: [costOfPrefill(q), cache(q)],
  onward: ['fleet-overview', 'queue-and-capacity', 'disaggregation', 'replica'],
}
