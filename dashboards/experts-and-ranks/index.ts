// Experts and ranks: in an expert-parallel group, who do the others wait for?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { ranks } from './ranks.ts'

const q = createQueries(['cluster', 'model', 'pool', 'replica'])

export const expertsAndRanks: Board = {
  name: 'experts-and-ranks',
  title: 'Experts and ranks',
  answers: 'In an expert-parallel group, who do the others wait for?',
  rows: [ranks(q)],
  onward: ['fleet-overview', 'decode', 'replica'],
}
