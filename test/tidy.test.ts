// Keeps the repository as ARCHITECTURE.md says it is. Every rule has a case that must fail.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { floorViolations } from './tidy/floors.ts'
import { readReferences, referencesOf } from './tidy/imports.ts'
import { escapeHatches, longFiles, metricLiterals, namedPaths, type SourceFile, unfinished, unlistedMembers } from './tidy/rules.ts'

const ROOT = new URL('..', import.meta.url).pathname
const tracked = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)))
const code = tracked.filter((path) => /\.(ts|tsx|mjs)$/.test(path) && !/\/(generated|fixtures)\//.test(path))
const sources: SourceFile[] = code.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
const product = sources.filter(({ path }) => !/\.test\.tsx?$/.test(path) && !path.startsWith('test/'))

/** Escape hatches that there are today: this number only goes down. */
const ESCAPES_TODAY = 0

describe('floors', () => {
  test('imports only go down, and rooms on one floor do not import each other', () => {
    expect(floorViolations(readReferences(ROOT, code))).toEqual([])
  })

  test.each([
    ['static import', "import { x } from '../../collector/hub/main.ts'"],
    ['type import', "import type { X } from '../../collector/hub/main.ts'"],
    ['dynamic import', "await import('../../collector/hub/main.ts')"],
    ['worker by URL', "new Worker(new URL('../../collector/hub/main.ts', import.meta.url))"],
    ['fork', "fork('../../collector/hub/main.ts')"],
    ['export from', "export { x } from '../../collector/hub/main.ts'"],
  ])('an upward reach is seen: %s', (_name, source) => {
    expect(floorViolations(referencesOf('src/sdk/bad.ts', source)).length).toBe(1)
  })

  test('the simulator may not use the codecs, nor one engine room its neighbour', () => {
    expect(floorViolations(referencesOf('src/simulator/a.ts', "import { x } from '../wire/otlp/encode.ts'"))).toHaveLength(1)
    expect(floorViolations(referencesOf('src/simulator/a.ts', "import { x } from '../engines/index.ts'"))).toHaveLength(1)
    expect(floorViolations(referencesOf('src/engines/a.ts', "import { x } from '@longpole/model/phase'"))).toHaveLength(0)
    expect(floorViolations(referencesOf('src/model/a.ts', "import { x } from '@longpole/sdk'"))).toHaveLength(1)
  })
})

describe('files', () => {
  test('none is longer than 300 lines outside tests', () => {
    expect(longFiles(product)).toEqual([])
    expect(longFiles([{ path: 'a.ts', text: 'x\n'.repeat(301) }])).toHaveLength(1)
  })

  test('no metric name is spelled out outside the conventions', () => {
    expect(metricLiterals(product)).toEqual([])
    expect(metricLiterals([{ path: 'alerts/x.ts', text: "const a = 'longpole_ttft_seconds'" }])).toHaveLength(1)
  })

  test('escape hatches do not grow', () => {
    expect(escapeHatches(product).length, escapeHatches(product).join('\n')).toBeLessThanOrEqual(ESCAPES_TODAY)
    expect(escapeHatches([{ path: 'a.ts', text: 'x as any' }])).toHaveLength(1)
  })

  test('nothing is left unfinished and no test is skipped by hand', () => {
    const judged = sources.filter(({ path }) => !path.startsWith('test/tidy'))
    expect(unfinished(judged)).toEqual([])
    expect(unfinished([{ path: 'a.ts', text: '// TODO later' }])).toHaveLength(1)
  })

  test('no file of the repository is larger than 1 MiB', () => {
    const large = tracked.filter((path) => readFileSync(join(ROOT, path)).length > 1024 * 1024)
    expect(large).toEqual([])
  })
})

describe('documents', () => {
  test.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'])('every path named in %s exists', (document) => {
    const text = readFileSync(join(ROOT, document), 'utf8')
    expect(namedPaths(text).filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('a path that does not exist is found', () => {
    expect(namedPaths('see `src/nowhere/x.ts`')).toEqual(['src/nowhere/x.ts'])
  })
})

describe('families', () => {
  const families = [
    { list: 'src/engines/index.ts', folder: 'src/engines', required: ['adapter.ts', 'README.md'] },
    { list: 'src/simulator/faults/index.ts', folder: 'src/simulator/faults', required: [] },
    { list: 'src/simulator/shifts/index.ts', folder: 'src/simulator/shifts', required: [] },
    { list: 'src/localizer/mechanisms/index.ts', folder: 'src/localizer/mechanisms', required: [] },
    { list: 'alerts/index.ts', folder: 'alerts', required: ['rule.ts', 'rule.test.yaml', 'runbook.md'], only: /^[A-Z]/ },
    {
      list: 'dashboards/index.ts',
      folder: 'dashboards',
      required: ['index.ts'],
      except: /^(generated|provisioning|preview|lint|evaluate|panels|node_modules|compose|pictures)$/,
    },
  ].filter(({ list }) => existsSync(join(ROOT, list)))

  test.each(families)('every member of $folder is listed and complete', ({ list, folder, required, only, except }) => {
    const members = readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && (only?.test(entry.name) ?? true) && !(except?.test(entry.name) ?? false))
      .map((entry) => entry.name)
      .filter((name) => tracked.some((path) => path.startsWith(`${folder}/${name}/`)))
    expect(unlistedMembers(readFileSync(join(ROOT, list), 'utf8'), members)).toEqual([])
    const incomplete = members.flatMap((name) =>
      required.filter((file) => !existsSync(join(ROOT, folder, name, file))).map((file) => `${name}/${file}`),
    )
    expect(incomplete).toEqual([])
  })

  test('a member that is not listed is found', () => {
    expect(unlistedMembers("import { vllm } from './vllm/adapter.ts'", ['vllm', 'tgi'])).toEqual(['tgi'])
  })
})
