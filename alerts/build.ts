// `npm run alerts`: writes the committed files of alerts/generated from the default objectives.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { configSchema } from '../src/config/schema.ts'
import { generateFiles } from './generate.ts'

export const GENERATED = new URL('generated/', import.meta.url).pathname

/** What the committed files must be. */
export function expectedFiles(): Map<string, string> {
  return generateFiles(configSchema.parse({}))
}

if (import.meta.main) {
  for (const [path, content] of expectedFiles()) {
    const file = join(GENERATED, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    console.log(`alerts/generated/${path}`)
  }
}
