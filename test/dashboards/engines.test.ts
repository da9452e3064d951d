// Boards read canonical metrics only; here every recorded page of every engine, and the same page under the names of older releases,
// shows that the canonical ones are there.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXPOSITIONS } from '../../src/engines/expositions.ts'
import { blankPanels } from './engine-page.ts'

const ENGINES = new URL('../../src/engines/', import.meta.url)
/** Those that run batches; a gateway before them has neither cache nor steps. */
const SERVING = new Set(['vllm', 'sglang', 'llama-cpp', 'dynamo'])
const pages = readdirSync(ENGINES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && SERVING.has(entry.name))
  .flatMap(({ name: engine }) => {
    const folder = new URL(`${engine}/fixtures/`, ENGINES)
    const files = readdirSync(folder).filter((file) => file.startsWith('metrics-') && file.endsWith('.prom'))
    // An engine that has served nothing has little to tell.
    return files
      .filter((file) => !file.includes('idle'))
      .map((file) => ({ engine, file, page: readFileSync(new URL(file, folder), 'utf8') }))
  })

/** What may be blank, on which pages, and why no query can help. */
const ARGUED: readonly { panel: RegExp; page: RegExp; why: string }[] = [
  { panel: /Acceptance of drafted tokens/, page: /./, why: 'speculative decoding is off: there are no drafts' },
  { panel: /Youngest replica/, page: /dp2|worker|inference-sim/, why: 'with several API processes no start time is exposed' },
  { panel: /KV cache/, page: /^metrics-busy-2026/, why: 'llama.cpp no longer exposes how full its cache is' },
  { panel: /Step time/, page: /^metrics-prefill/, why: 'a prefill server makes no decode steps' },
  {
    panel: /Hit ratio by replica/,
    page: /worker/,
    why: "Dynamo's workers leave the counting of tokens to the front end, which knows models only",
  },
]

async function blankOf(page: string, file: string): Promise<string[]> {
  const found = await blankPanels(page)
  const isArgued = (name: string) => ARGUED.some(({ panel, page: pattern }) => panel.test(name) && pattern.test(file))
  return (found?.blank ?? []).filter(({ panel, hasSource }) => hasSource && !isArgued(panel)).map(({ panel }) => panel)
}

test.each(pages)('no panel goes blank on $file of $engine that the engine can fill', async ({ page, file }) => {
  expect(await blankOf(page, file)).toEqual([])
})

const older = EXPOSITIONS.filter(({ engine }) => SERVING.has(engine)).flatMap(({ engine, table }) => {
  const sources = [...Object.values(table.gauges), ...Object.values(table.rates), table.step?.sum, table.step?.count]
  const most = Math.max(...sources.map((source) => source?.names.length ?? 0))
  return Array.from({ length: most - 1 }, (_, index) => ({ engine, age: index + 1, sources }))
})

test.each(older)('nor on pages of $engine with every name as it was $age renames ago', async ({ engine, age, sources }) => {
  for (const { page, file } of pages.filter((entry) => entry.engine === engine)) {
    const renamed = sources.reduce((text, source) => {
      const [newest, ...before] = source?.names ?? []
      const name = before[Math.min(age, before.length) - 1]
      return newest === undefined || name === undefined ? text : text.replaceAll(new RegExp(`^${newest}(?=[{ ])`, 'gm'), name)
    }, page)
    expect(await blankOf(renamed, file)).toEqual(await blankOf(page, file))
  }
})
