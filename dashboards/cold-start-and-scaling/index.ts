// Cold start and scaling: do replicas come in time, and what do requests pay that meet a cold one?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { scaling } from './scaling.ts'

const q = createQueries(['cluster', 'model', 'pool'])

export const coldStartAndScaling: Board = {
  name: 'cold-start-and-scaling',
  title: 'Cold start and scaling',
  answers: 'Do replicas come in time, and what do requests pay that meet a cold one?',
  rows: [scaling(q)],
  onward: ['fleet-overview', 'queue-and-capacity'],
}
