// Longpole itself: can what the other boards show be trusted?
import type { Board } from '../board.ts'
import { createQueries } from '../queries.ts'
import { conservation } from './conservation.ts'
import { costOfObserving } from './cost-of-observing.ts'

const q = createQueries(['cluster', 'replica'])

export const longpoleItself: Board = {
  name: 'longpole-itself',
  title: 'Longpole itself',
  answers: 'Can what the other boards show be trusted?',
  rows: [conservation(q), costOfObserving(q)],
  onward: ['fleet-overview'],
}
