// Queue and capacity: are requests waiting because there is too much work, too few replicas, or because it is spread badly?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { operatingPoint } from './operating-point.ts'
import { waiting } from './waiting.ts'

const q = createQueries(['cluster', 'model', 'pool', 'replica', 'region'])

export const queueAndCapacity: Board = {
  name: 'queue-and-capacity',
  title: 'Queue and capacity',
  answers: 'Are requests waiting because there is too much work, too few replicas, or because it is spread badly?',
  rows: [waiting(q), operatingPoint(q)],
  onward: ['fleet-overview', 'prefill-and-kv-cache', 'decode', 'cold-start-and-scaling', 'replica'],
}
