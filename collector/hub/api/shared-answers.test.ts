import { createManualClock } from '@longpole/model/clock'
import { expect, test } from 'vitest'
import { createSharedAnswers } from './shared-answers.ts'

function setUp() {
  const clock = createManualClock()
  const ask = createSharedAnswers<number>({ clock, freshMs: 1_000, maxQuestions: 2 })
  let asked = 0
  return { clock, ask, work: async () => ++asked }
}

test('a question that is under way is not asked again, however long it takes', async () => {
  const { clock, ask } = setUp()
  const slow = Promise.withResolvers<number>()
  let asked = 0
  const work = () => {
    asked++
    return slow.promise
  }
  const first = ask('a', work)
  clock.advance(60_000)
  const second = ask('a', work)
  slow.resolve(7)
  expect(await Promise.all([first, second])).toEqual([7, 7])
  expect(asked).toBe(1)
})

test('an answer is given again for a second and then asked anew', async () => {
  const { clock, ask, work } = setUp()
  expect(await ask('a', work)).toBe(1)
  clock.advance(1_000)
  expect(await ask('a', work)).toBe(1)
  clock.advance(1)
  expect(await ask('a', work)).toBe(2)
})

test('a failure is told to all who wait and not kept', async () => {
  const { ask, work } = setUp()
  const failing = async () => {
    throw new Error('away')
  }
  await Promise.all([expect(ask('a', failing)).rejects.toThrow('away'), expect(ask('a', failing)).rejects.toThrow('away')])
  expect(await ask('a', work)).toBe(1)
})

test('only so many questions are remembered, the oldest goes', async () => {
  const { ask, work } = setUp()
  for (const question of ['a', 'b', 'c']) await ask(question, work)
  expect(await ask('c', work)).toBe(3)
  expect(await ask('a', work)).toBe(4)
})

test('an answer that is a little too old is given while one new question is under way behind it', async () => {
  const clock = createManualClock()
  const ask = createSharedAnswers<number>({ clock, freshMs: 1_000, staleMs: 5_000, maxQuestions: 2 })
  const next = Promise.withResolvers<number>()
  let asked = 0
  const work = () => {
    asked++
    return next.promise
  }
  expect(await ask('a', async () => 1)).toBe(1)
  clock.advance(2_000)
  expect(await Promise.all([ask('a', work), ask('a', work)])).toEqual([1, 1])
  expect(asked).toBe(1)
  next.resolve(2)
  await next.promise
  expect(await ask('a', work)).toBe(2)
  clock.advance(6_001)
  expect(await ask('a', async () => 3)).toBe(3)
})

test('a renewal that fails leaves the answer until it is too old, and is tried again', async () => {
  const clock = createManualClock()
  const ask = createSharedAnswers<number>({ clock, freshMs: 1_000, staleMs: 5_000, maxQuestions: 2 })
  const failing = async () => {
    throw new Error('away')
  }
  expect(await ask('a', async () => 1)).toBe(1)
  clock.advance(2_000)
  expect(await ask('a', failing)).toBe(1)
  expect(await ask('a', async () => 2)).toBe(1)
  expect(await ask('a', failing)).toBe(2)
  clock.advance(6_001)
  await expect(ask('a', failing)).rejects.toThrow('away')
})
