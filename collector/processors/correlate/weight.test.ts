import { expect, test } from 'vitest'
import { weightOf } from './weight.ts'

test.each([
  ['', 1],
  ['ot=th:0', 1],
  ['ot=th:8', 2],
  ['ot=th:c', 4],
  ['ot=th:ff', 256],
  ['congo=t61,ot=rv:1;th:c,x=y', 4],
  ['ot=th:', 1],
  ['ot=th:xyz', 1],
  ['ot=th:ffffffffffffffff', 1],
  ['other=th:8', 1],
])('%s', (traceState, weight) => {
  expect(weightOf(traceState)).toBe(weight)
})
