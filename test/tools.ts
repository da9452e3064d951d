// Programs that tests need beyond npm, from Debian's packages. A test that needs one asks here; where it is missing the test is
// skipped with the reason, and under CI that skip fails the run.
import { existsSync } from 'node:fs'

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
