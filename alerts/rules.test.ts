// Every alert's own tests with Debian's promtool, and what each alert folder must hold.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { findTool, monitoringReleases, NO_RELEASE } from '../test/tools.ts'
import { expectedFiles, GENERATED } from './build.ts'
import { ALERTS } from './index.ts'
import { ALERTS_FOLDER, rulesOf, run, testRules } from './testing/promtool.ts'

const promtool = findTool('promtool')
/** Debian's, and the newer one where there is one. */
const found = monitoringReleases()
const releases = found.length === 0 ? [NO_RELEASE] : found

describe.skipIf(promtool.missing).each(releases)('promtool of $name', ({ promtool: path }) => {
  test.concurrent.each(ALERTS.map(({ name }) => name))(
    '%s fires when it should and is silent when it should be',
    async (name) => {
      const definition = ALERTS.find((alert) => alert.name === name)
      expect(definition).toBeDefined()
      if (definition === undefined) return
      const { passed, output } = await testRules(path, name, rulesOf(definition))
      expect(passed, output.slice(0, 4000)).toBe(true)
    },
    120_000,
  )

  test('the generated files are accepted without a lint finding', async () => {
    for (const file of expectedFiles().keys()) {
      if (!/^(alerts|recordings)/.test(file)) continue
      const { passed, output } = await run(path, ['check', 'rules', '--lint=all', '--lint-fatal', join(GENERATED, file)])
      expect(passed, output).toBe(true)
    }
  })
})

describe('files', () => {
  test('the committed files equal a fresh generation (npm run alerts)', () => {
    for (const [path, content] of expectedFiles()) expect(readFileSync(join(GENERATED, path), 'utf8'), path).toBe(content)
  })

  test('there are 46 alerts, and every folder is one of them', () => {
    const folders = readdirSync(ALERTS_FOLDER).filter((name) => /^[A-Z]/.test(name))
    expect(folders.sort()).toEqual(ALERTS.map(({ name }) => name).sort())
    expect(ALERTS).toHaveLength(46)
  })

  test.each(ALERTS.map(({ name }) => name))(
    '%s has a case that fires, one that is silent, one on absent data and one on low traffic',
    (name) => {
      const file = join(ALERTS_FOLDER, name, 'rule.test.yaml')
      expect(existsSync(file)).toBe(true)
      const { tests } = parse(readFileSync(file, 'utf8')) as { tests: { name: string }[] }
      const names = tests.map((entry) => entry.name).join('\n')
      for (const wanted of [/fires/, /silent/, /absent|vanish|never/, /low traffic/i]) expect(names).toMatch(wanted)
    },
  )
})
