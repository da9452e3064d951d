// Writes every file that is generated and committed: `npm run generate`, or `node scripts/generate.ts --check`, which writes nothing and
// fails where a committed file is not what would be written. Adding a generated file is a generator and a line here.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Path in the repository → its text. */
export type GeneratedFiles = Record<string, string>

export const GENERATORS: readonly (() => Promise<GeneratedFiles>)[] = [
  async () => ({ 'docs/metrics.md': (await import('./documents/metrics.ts')).describeMetrics() }),
  async () => ({ 'docs/configuration.md': (await import('./documents/configuration.ts')).describeConfiguration() }),
  async () => ({ 'docs/generated/longpole.schema.json': (await import('./documents/configuration.ts')).configurationSchema() }),
  async () => ({ 'docs/record.md': (await import('./documents/record.ts')).describeRecord() }),
]

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** All generated files. Two generators of one path are a mistake. */
export async function generate(): Promise<GeneratedFiles> {
  const files: GeneratedFiles = {}
  for (const generator of GENERATORS) {
    for (const [path, text] of Object.entries(await generator())) {
      if (path in files) throw new Error(`${path} is generated twice`)
      files[path] = text
    }
  }
  return files
}

/** Paths whose committed text is another than a fresh one. */
export function staleFiles(files: GeneratedFiles): string[] {
  return Object.entries(files)
    .filter(([path, text]) => readOrNull(join(ROOT, path)) !== text)
    .map(([path]) => path)
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

if (import.meta.main) {
  const files = await generate()
  const stale = staleFiles(files)
  if (process.argv.includes('--check')) {
    if (stale.length > 0) {
      process.stderr.write(`not fresh: ${stale.join(', ')}; run \`npm run generate\`\n`)
      process.exitCode = 1
    }
  } else {
    for (const path of stale) {
      mkdirSync(dirname(join(ROOT, path)), { recursive: true })
      writeFileSync(join(ROOT, path), files[path] as string)
      process.stdout.write(`${path}\n`)
    }
  }
}
