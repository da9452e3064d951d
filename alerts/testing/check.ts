// `npm run check:alerts`: the whole generated output in the real tools — every rule together with every other, annotations included —
// which `npm test` does for each alert alone.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findTool } from '../../test/tools.ts'
import { GENERATED } from '../build.ts'
import { ALERTS } from '../index.ts'
import { ALERTS_FOLDER, run } from './promtool.ts'

function need(tool: 'promtool' | 'amtool'): string {
  const { path, missing } = findTool(tool)
  if (path === null) throw new Error(missing)
  return path
}

/** One test file evaluates all rules at every step. */
const TIMEOUT_MS = 600_000
let failed = 0

async function check(title: string, command: string, args: readonly string[]): Promise<void> {
  const { passed, output } = await run(command, args, TIMEOUT_MS)
  if (!passed) failed++
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${title}${passed ? '' : `\n${output.slice(0, 2_000)}`}`)
}

const rules = readdirSync(GENERATED).filter((name) => name.endsWith('.yaml'))
await check('rules', need('promtool'), ['check', 'rules', '--lint=all', '--lint-fatal', ...rules.map((name) => join(GENERATED, name))])
await check('alertmanager', need('amtool'), ['check-config', join(GENERATED, 'alertmanager/alertmanager.yaml')])
for (const { name } of ALERTS) await check(name, need('promtool'), ['test', 'rules', join(ALERTS_FOLDER, name, 'rule.test.yaml')])
console.log(`${ALERTS.length + 2 - failed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1
