import type { Finding } from '@longpole/model/finding'
import { expect, test } from 'vitest'
import { withPhaseIds } from './phase-names.ts'

test('phases are named by their ids in fields and in sentences; the longer name wins', () => {
  const finding = {
    phases: [{ phase: 'phase_engine_queue_or_kv', share: 1, low: 1, high: 1 }],
    next_check: 'compare phase_engine_queue with its siblings, not phase_engine_queues',
  } as unknown as Finding
  expect(withPhaseIds(finding)).toEqual({
    phases: [{ phase: 'engine.queue_or_kv', share: 1, low: 1, high: 1 }],
    next_check: 'compare engine.queue with its siblings, not phase_engine_queues',
  })
})
