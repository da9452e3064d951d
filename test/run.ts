// `npm test`: says what it installs, runs everything, and ends with one line that counts what ran.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { startVitest } from 'vitest/node'
import { CountReporter } from './count-reporter.ts'
import { findTool, TOOLS, type Tool } from './tools.ts'

function isDebianRoot(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && readFileSync('/etc/os-release', 'utf8').includes('debian')
}

function installMissingTools(): void {
  const missing = (Object.keys(TOOLS) as Tool[]).filter((tool) => findTool(tool).path === null)
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((tool) => TOOLS[tool].package))]
  if (!isDebianRoot()) {
    console.log(`tests that need ${missing.join(', ')} will be skipped: install the Debian packages ${packages.join(', ')} to run them`)
    return
  }
  console.log(`installing Debian packages for tests: ${packages.join(' ')}`)
  // RUNLEVEL and policy-rc.d keep Debian from starting the servers it installs.
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = { env: environment, stdio: ['ignore', 'ignore', 'inherit'] as ('ignore' | 'inherit')[], timeout: 300_000 }
  spawnSync('apt-get', ['update', '-qq'], options)
  const result = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options)
  if (result.status !== 0) console.log('the packages could not be installed; tests that need them are skipped')
}

installMissingTools()
const vitest = await startVitest('test', process.argv.slice(2), { watch: false, reporters: ['default', new CountReporter()] })
await vitest.close()
