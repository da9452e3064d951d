import { expect, test } from 'vitest'
import { generate, staleFiles } from './generate.ts'

test('committed generated files are what would be generated now', async () => {
  expect(staleFiles(await generate())).toEqual([])
})
