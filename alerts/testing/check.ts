// `npm run check:alerts [-- LLMEngineDown …]`: the whole generated output in the real tools — every rule together with every other,
// annotations included — which `npm test` does for each alert alone. With LONGPOLE_PROMETHEUS_DIR in that release too. Minutes.
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type MonitoringRelease, monitoringReleases } from '../../test/tools.ts'
import { GENERATED } from '../build.ts'
import { ALERTS } from '../index.ts'
import { ALERTS_FOLDER, run } from './promtool.ts'

/** One test file evaluates all rules at every step: half a minute of one core for the largest. */
const TIMEOUT_MS = 1_200_000

interface Check {
  title: string
  command: string
  args: readonly string[]
}

function checksOf({ name: release, promtool, amtool }: MonitoringRelease, wanted: readonly string[]): Check[] {
  const rules = readdirSync(GENERATED).filter((file) => file.endsWith('.yaml'))
  const names = ALERTS.map(({ name }) => name).filter((name) => wanted.length === 0 || wanted.includes(name))
  const check = (title: string, command: string, ...args: string[]): Check => ({ title: `${release}: ${title}`, command, args })
  return [
    check('rules', promtool, 'check', 'rules', '--lint=all', '--lint-fatal', ...rules.map((file) => join(GENERATED, file))),
    check('alertmanager', amtool, 'check-config', join(GENERATED, 'alertmanager/alertmanager.yaml')),
    ...names.map((name) => check(name, promtool, 'test', 'rules', join(ALERTS_FOLDER, name, 'rule.test.yaml'))),
  ]
}

const checks = monitoringReleases().flatMap((release) => checksOf(release, process.argv.slice(2)))
if (checks.length === 0) throw new Error('needs promtool and amtool (Debian packages prometheus and prometheus-alertmanager)')
const next = checks.values()
let failed = 0

async function work(): Promise<void> {
  for (const { title, command, args } of next) {
    const { passed, output } = await run(command, args, TIMEOUT_MS)
    if (!passed) failed++
    console.log(`${passed ? 'ok  ' : 'FAIL'} ${title}${passed ? '' : `\n${output.slice(0, 2_000)}`}`)
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work))
console.log(`${checks.length - failed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1
