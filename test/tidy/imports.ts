// Finds what each source file of the repository reaches for: static, dynamic and type imports, workers, forks and files read by URL.
import { readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

export interface Reference {
  /** Repository path of the file that refers. */
  from: string
  /** Repository path, or a bare package name. */
  to: string
  line: number
}

const PATTERNS = [
  /\bfrom\s+['"]([^'"]+)['"]/g,
  /\bimport\s+['"]([^'"]+)['"]/g,
  /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\brequire(?:\.resolve)?\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\bnew\s+URL\(\s*['"]([^'"]+)['"]\s*,\s*import\.meta\.url/g,
  /\b(?:new\s+Worker|fork)\(\s*['"]([^'"]+)['"]/g,
  /\bimport\.meta\.resolve\(\s*['"]([^'"]+)['"]\s*\)/g,
]

const WORKSPACES: Record<string, string> = { '@longpole/model': 'src/model', '@longpole/sdk': 'src/sdk' }

/** Comments may mention a path without reaching for it; strings are kept. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/(^|\s)\/\/[^\n]*/g, '$1')
}

export function referencesOf(path: string, source: string): Reference[] {
  const found: Reference[] = []
  const text = withoutComments(source)
  for (const pattern of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const specifier = match[1] as string
      const line = text.slice(0, match.index).split('\n').length
      found.push({ from: path, to: resolveSpecifier(path, specifier), line })
    }
  }
  return found
}

function resolveSpecifier(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return normalize(join(dirname(path), specifier))
  for (const [name, folder] of Object.entries(WORKSPACES)) {
    if (specifier === name) return `${folder}/index.ts`
    if (specifier.startsWith(`${name}/`)) return `${folder}/${specifier.slice(name.length + 1)}`
  }
  return specifier
}

export function readReferences(root: string, files: readonly string[]): Reference[] {
  return files.flatMap((file) => referencesOf(relative(root, join(root, file)), readFileSync(join(root, file), 'utf8')))
}
