// Programs that tests need beyond npm, from Debian's packages. A test that needs one asks here; where it is missing the test is
// skipped with the reason, and under CI that skip fails the run.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const TOOLS = {
  prometheus: { path: '/usr/bin/prometheus', package: 'prometheus' },
  promtool: { path: '/usr/bin/promtool', package: 'prometheus' },
  alertmanager: { path: '/usr/bin/prometheus-alertmanager', package: 'prometheus-alertmanager' },
  amtool: { path: '/usr/bin/amtool', package: 'prometheus-alertmanager' },
  chromium: { path: '/usr/bin/chromium', package: 'chromium' },
} as const
export type Tool = keyof typeof TOOLS

/** Path of a tool, or null with the reason a test may give for skipping. */
export function findTool(tool: Tool): { path: string; missing: null } | { path: null; missing: string } {
  const { path, package: name } = TOOLS[tool]
  return existsSync(path) ? { path, missing: null } : { path: null, missing: `${path} is missing (Debian package ${name})` }
}

/** One release of Prometheus and Alertmanager. */
export interface MonitoringRelease {
  name: string
  prometheus: string
  promtool: string
  alertmanager: string
  amtool: string
}

/** Stands for the releases in a suite that is skipped because there is none. */
export const NO_RELEASE: MonitoringRelease = { name: 'missing', prometheus: '', promtool: '', alertmanager: '', amtool: '' }

/**
 * The releases that rules are held against: Debian's, and another where LONGPOLE_PROMETHEUS_DIR names a folder with `prometheus`,
 * `promtool`, `alertmanager` and `amtool`.
 */
export function monitoringReleases(): MonitoringRelease[] {
  const names = ['prometheus', 'promtool', 'alertmanager', 'amtool'] as const
  const releases: MonitoringRelease[] = []
  const found = names.map((name) => findTool(name).path)
  if (found.every((path) => path !== null)) {
    const [prometheus, promtool, alertmanager, amtool] = found as [string, string, string, string]
    releases.push({ name: 'Debian', prometheus, promtool, alertmanager, amtool })
  }
  const folder = process.env.LONGPOLE_PROMETHEUS_DIR
  if (folder === undefined) return releases
  const missing = names.find((name) => !existsSync(join(folder, name)))
  if (missing !== undefined)
    throw new Error(`LONGPOLE_PROMETHEUS_DIR: expected a folder with ${names.join(', ')}; ${folder} has no ${missing}`)
  const [prometheus, promtool, alertmanager, amtool] = names.map((name) => join(folder, name)) as [string, string, string, string]
  return [...releases, { name: 'newer', prometheus, promtool, alertmanager, amtool }]
}
