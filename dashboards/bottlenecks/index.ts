// Bottlenecks: what does the localizer blame, how sure is it, and does the time line agree?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { evidence } from './evidence.ts'
import { findings } from './findings.ts'

const q = createQueries(['cluster', 'model', 'region', 'pool'])

export const bottlenecks: Board = {
  name: 'bottlenecks',
  title: 'Bottlenecks',
  answers: 'What does the localizer blame, how sure is it, and does the time line agree?',
  rows: [findings(q), evidence(q)],
  onward: ['fleet-overview', 'where-the-time-goes', 'replica'],
}
