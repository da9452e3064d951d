// Cost: what does a million tokens cost here, and how much of the fleet is idle?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { costOfTokens } from './cost-of-tokens.ts'

const q = createQueries(['cluster', 'model', 'pool'])

export const cost: Board = {
  name: 'cost',
  title: 'Cost',
  answers: 'What does a million tokens cost here, and how much of the fleet is idle?',
  rows: [costOfTokens(q)],
  onward: ['fleet-overview', 'queue-and-capacity'],
}
