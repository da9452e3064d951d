import { expect, test } from 'vitest'
import { createTroubleTeller } from './trouble.ts'

test('the same trouble is told once in half a minute, with how often it came', () => {
  let now = 0
  const said: string[] = []
  const tell = createTroubleTeller(
    (sentence) => said.push(sentence),
    () => now,
  )
  for (let index = 0; index < 500; index++) tell('the hub does not keep up')
  tell('something else')
  now = 31_000
  tell('the hub does not keep up')
  expect(said).toEqual(['the hub does not keep up', 'something else', 'the hub does not keep up (499 more times since the last word)'])
})
