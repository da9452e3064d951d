import { expect, test } from 'vitest'
import { judge, judgeGoodput, type Objective } from './slo.ts'

const ttft: Objective = { slo: 'ttft', model: '*', objective: 0.99, thresholdSeconds: { '1k': 1, '8k': 2, inf: 8 } }
const view = { outcome: 'ok' as const, prompt_class: '1k', ttft: 0.5, tpot: null, itl_max: null, e2e: 3 }

test('a request within its deadline is good, past it bad', () => {
  expect(judge(ttft, view)).toBe('good')
  expect(judge(ttft, { ...view, ttft: 1.5 })).toBe('bad')
})

test('the deadline depends on the length of the prompt; a class without one takes the next longer', () => {
  expect(judge(ttft, { ...view, ttft: 1.5, prompt_class: '8k' })).toBe('good')
  expect(judge(ttft, { ...view, ttft: 7, prompt_class: '32k' })).toBe('good')
})

test('an open request is bad from the moment its deadline passes, and undecided before', () => {
  const open = { ...view, outcome: 'open' as const, ttft: null, e2e: null }
  expect(judge(ttft, { ...open, age: 0.9 })).toBeNull()
  expect(judge(ttft, { ...open, age: 1.1 })).toBe('bad')
})

test('a request without a first token is neither good nor bad, an error is bad', () => {
  expect(judge(ttft, { ...view, ttft: null })).toBeNull()
  expect(judge(ttft, { ...view, outcome: 'error', ttft: null })).toBe('bad')
  expect(judge(ttft, { ...view, outcome: 'aborted', ttft: null, e2e: 0.2 })).toBeNull()
})

test('goodput is good only where nothing is bad and something is good', () => {
  expect(judgeGoodput(['good', null, 'good'])).toBe('good')
  expect(judgeGoodput(['good', 'bad'])).toBe('bad')
  expect(judgeGoodput([null])).toBeNull()
})
