// `npm run alerts`: writes the committed files of alerts/generated from the default objectives, and into each runbook the query of its
// rule, so that a person can paste what the rule sees.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { configSchema } from '../src/config/schema.ts'
import { alertContext, generateFiles } from './generate.ts'
import { ALERTS } from './index.ts'
import type { AlertDefinition } from './rule.ts'

export const GENERATED = new URL('generated/', import.meta.url).pathname
const HERE = new URL('.', import.meta.url).pathname

/** What the committed files must be. */
export function expectedFiles(): Map<string, string> {
  return generateFiles(configSchema.parse({}))
}

const context = alertContext(configSchema.parse({}))

/** The runbook with its Query section replaced by the rule's expressions; of six objectives the first stands for all. */
export function expectedRunbook(alert: AlertDefinition): string {
  const text = readFileSync(join(HERE, alert.name, 'runbook.md'), 'utf8')
  const variants = alert.variants(context)
  const shown = variants.some(({ set }) => set !== undefined) ? variants.slice(0, 1) : variants
  const queries = shown.map(({ expr }) => `\`\`\`promql\n${expr}\n\`\`\`\n`).join('\n')
  const heading = '\n## Query\n'
  const at = text.indexOf(heading)
  if (at < 0) throw new Error(`${alert.name}/runbook.md has no section "## Query"`)
  return `${text.slice(0, at)}${heading}\n${queries}`
}

if (import.meta.main) {
  for (const [path, content] of expectedFiles()) {
    const file = join(GENERATED, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    console.log(`alerts/generated/${path}`)
  }
  for (const alert of ALERTS) writeFileSync(join(HERE, alert.name, 'runbook.md'), expectedRunbook(alert))
  console.log(`queries of ${ALERTS.length} runbooks`)
}
