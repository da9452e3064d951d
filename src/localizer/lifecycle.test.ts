import type { Finding } from '@longpole/model/finding'
import { expect, test } from 'vitest'
import { advance, type OpenFinding, QUIET_EVALUATIONS } from './lifecycle.ts'

function finding(id: string, replica: string, phase = 'phase_engine_prefill'): Finding {
  return {
    id,
    opened: '',
    updated: '',
    closed: null,
    model: 'm',
    verdict: 'localized',
    target: { column: 'ttft', slo_seconds: null, quantile: 0.95, slo: 'ttft' },
    slice: { replica: [replica] },
    aliases: [],
    siblings: [],
    phases: [{ phase, share: 1, low: 1, high: 1 }],
    onset: null,
    share_explained: null,
    excess_seconds: 0,
    bad_requests: 0,
    workload: [],
    mechanism: null,
    changes: [],
    confidence: 'high',
    probability: 0.95,
    looked_at: [],
    not_seen: [],
    next_check: '',
  }
}
const overlap = (left: Finding, right: Finding) => (left.slice.replica?.[0] === right.slice.replica?.[0] ? 1 : 0)

test('a finding keeps its identity while phase is equal and slices overlap', () => {
  const first = advance([], [finding('1', 'a')], 't1', overlap)
  expect(first.changed).toMatchObject([{ id: '1', opened: 't1' }])
  const second = advance(first.open, [finding('2', 'a')], 't2', overlap)
  expect(second.open).toMatchObject([{ finding: { id: '1', opened: 't1', updated: 't2' }, quiet: 0 }])
})

test('another phase or another slice is another finding', () => {
  const { open } = advance([], [finding('1', 'a')], 't1', overlap)
  const next = advance(open, [finding('2', 'a', 'phase_engine_decode'), finding('3', 'b')], 't2', overlap)
  expect(next.open.map((entry) => entry.finding.id).sort()).toEqual(['1', '2', '3'])
})

test('after three quiet evaluations it is closed, once', () => {
  let open: OpenFinding[] = advance([], [finding('1', 'a')], 't0', overlap).open
  for (let round = 1; round < QUIET_EVALUATIONS; round++) {
    const step = advance(open, [], `t${round}`, overlap)
    expect(step.changed).toEqual([])
    open = step.open
  }
  const last = advance(open, [], 'end', overlap)
  expect(last).toMatchObject({ open: [], changed: [{ id: '1', closed: 'end' }] })
})

test('found again before it was closed, it counts from the start', () => {
  const { open } = advance([], [finding('1', 'a')], 't0', overlap)
  const quiet = advance(open, [], 't1', overlap)
  expect(advance(quiet.open, [finding('9', 'a')], 't2', overlap).open).toMatchObject([{ finding: { id: '1' }, quiet: 0 }])
})
