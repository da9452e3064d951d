// The other rules of the house, each a pure function from sources to sentences, so that each can be shown to fail.

export interface SourceFile {
  path: string
  text: string
}

/** Comments may name a metric; code takes it from the conventions. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

const METRIC_LITERAL = /['"`](longpole_[a-z0-9_]{3,})/g

export function longFiles(files: readonly SourceFile[], limit = 300): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > limit)
    .map(({ path, lines }) => `${path} has ${lines} lines; one idea a file, at most ${limit}`)
}

/** Metric names belong to src/model/conventions; `allowed` are the files that define them. */
export function metricLiterals(files: readonly SourceFile[]): string[] {
  const found: string[] = []
  for (const { path, text } of files) {
    if (path.startsWith('src/model/conventions/')) continue
    for (const match of withoutComments(text).matchAll(METRIC_LITERAL))
      found.push(`${path}: ${match[1]} is spelled out; take it from conventions`)
  }
  return found
}

const ESCAPES = [/\bas any\b/, /@ts-ignore/, /@ts-nocheck/, /@ts-expect-error/, /biome-ignore/]

export function escapeHatches(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    return text
      .split('\n')
      .flatMap((line, index) => (ESCAPES.some((pattern) => pattern.test(line)) ? [`${path}:${index + 1} ${line.trim()}`] : []))
  })
}

const UNFINISHED = [/\bTODO\b/, /\bFIXME\b/, /\bXXX\b/, /not implemented/i, /\b(?:it|test|describe)\.(?:skip|todo|only)\b/]

export function unfinished(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    return text
      .split('\n')
      .flatMap((line, index) => (UNFINISHED.some((mark) => mark.test(line)) ? [`${path}:${index + 1} ${line.trim()}`] : []))
  })
}

/** Paths named in backticks in a document that look like files or folders of this repository. */
export function namedPaths(document: string): string[] {
  const paths = [
    ...document.matchAll(/`((?:src|collector|dashboards|alerts|docs|test|bench|examples|scripts|deploy|bin)\/[A-Za-z0-9_./-]*)`/g),
  ]
  return [...new Set(paths.map((match) => (match[1] as string).replace(/\/$/, '')))]
}

/** Members of a family (folders) that its list does not name. */
export function unlistedMembers(list: string, members: readonly string[]): string[] {
  return members.filter((member) => !list.includes(`./${member}/`) && !list.includes(`./${member}.ts`) && !list.includes(`'${member}'`))
}
