// What a ClickHouse server does with a statement before it runs and chDB does not: typed parameters, settings for this statement
// only, one statement at a time, and where an insert's body goes. Text in, text out.

export class StatementError extends Error {
  override readonly name = 'StatementError'
}

/** Formats of one row a line, which can be streamed chunk by chunk; any other has a header or a footer and is written as a whole. */
const LINE_FORMATS = new Set(['JSONEachRow', 'JSONCompactEachRow', 'JSONStringsEachRow', 'CSV', 'TabSeparated', 'TSV', 'RowBinary'])

const READ = /^\s*(?:select|with|show|describe|desc|exists|explain)\b/i
const INSERT = /^\s*insert\s+into\b/i
const TAKES_SETTINGS = /^\s*(?:select|with)\b/i
const TRAILING_FORMAT = /\s+FORMAT\s+([A-Za-z]+)\s*$/i
const INPUT_FUNCTION = /\binput\s*\(/i

export type Statement =
  | { kind: 'read'; sql: string; format: string; isStreamable: boolean }
  | { kind: 'insert'; format: string; fromFile: (path: string) => string }
  | { kind: 'command'; sql: string }

export interface StatementInput {
  sql: string
  /** Values by name, escaped as ClickHouse's HTTP interface wants them (`param_<name>`). */
  parameters: ReadonlyMap<string, string>
  settings: ReadonlyMap<string, string>
  hasBody: boolean
  defaultFormat: string
}

/** Throws StatementError for what a server would refuse too: several statements, a parameter without a value, a bad type. */
export function prepareStatement({ sql, parameters, settings, hasBody, defaultFormat }: StatementInput): Statement {
  const bound = bindParameters(sql, parameters)
  if (hasBody && INSERT.test(bound)) {
    const format = TRAILING_FORMAT.exec(bound)?.[1]
    if (format === undefined) throw new StatementError('an INSERT with a body needs a FORMAT at its end')
    const insert = bound.replace(TRAILING_FORMAT, '')
    return { kind: 'insert', format, fromFile: (path) => appendSettings(insertFromFile(insert, format, path), settings) }
  }
  if (!READ.test(bound)) return { kind: 'command', sql: withSettings(bound, settings) }
  const format = TRAILING_FORMAT.exec(bound)?.[1] ?? defaultFormat
  return {
    kind: 'read',
    sql: withSettings(bound.replace(TRAILING_FORMAT, ''), settings),
    format,
    isStreamable: LINE_FORMATS.has(format),
  }
}

/** The insert with its body in a file: `INSERT INTO t (a, b) FORMAT F`, or `… SELECT … FROM input('structure') FORMAT F`. */
function insertFromFile(sql: string, format: string, path: string): string {
  const file = `${quote(path)}, ${quote(format)}`
  if (INPUT_FUNCTION.test(sql)) return sql.replace(INPUT_FUNCTION, `file(${file}, `)
  const columns = /\(([^()]*)\)\s*$/.exec(sql)?.[1] ?? '*'
  return `${sql} SELECT ${columns} FROM file(${file})`
}

/** Settings belong to the statement. As `SET` they would stay on the connection for every later one. */
function withSettings(sql: string, settings: ReadonlyMap<string, string>): string {
  return TAKES_SETTINGS.test(sql) ? appendSettings(sql, settings) : sql
}

function appendSettings(sql: string, settings: ReadonlyMap<string, string>): string {
  if (settings.size === 0) return sql
  const text = [...settings].map(([name, value]) => `${name} = ${quote(value)}`).join(', ')
  // What the statement says itself comes last and wins, as on a server.
  const own = /\bSETTINGS\b/i.exec(maskQuoted(sql))
  if (own === null) return `${sql} SETTINGS ${text}`
  const end = own.index + own[0].length
  return `${sql.slice(0, end)} ${text},${sql.slice(end)}`
}

export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** Quoted text, comments and everything else, one token each. */
const TOKEN =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\/|\{\s*(\w+)\s*:\s*([^{}]+?)\s*\}|;/g

/** The same length, so that places in it are places in the statement. */
function maskQuoted(sql: string): string {
  return sql.replace(TOKEN, (token) => ' '.repeat(token.length))
}

/**
 * Puts the value in place of each `{name:Type}` as a typed literal, which is what a server does too. (chDB's own binding is global to
 * the process: statements with parameters would wait for each other across all connections.)
 */
function bindParameters(sql: string, parameters: ReadonlyMap<string, string>): string {
  const trimmed = sql.trim().replace(/;\s*$/, '')
  return trimmed.replace(TOKEN, (token, name: string | undefined, type: string | undefined) => {
    if (token === ';') throw new StatementError('one statement at a time')
    if (name === undefined || type === undefined) return token
    const value = parameters.get(name)
    if (value === undefined) throw new StatementError(`parameter ${name} has no value`)
    return literal(value, type)
  })
}

function literal(value: string, type: string): string {
  if (type === 'Identifier') return `\`${unescapeText(value).replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
  if (!/^[A-Za-z0-9_(), ]+$/.test(type)) throw new StatementError(`parameter of type ${type} is not supported`)
  if (value === '\\N' && /^(LowCardinality\()?Nullable\(/.test(type)) return 'NULL'
  const isText = /^(?:LowCardinality\()?(?:Nullable\()?(?:String|FixedString)\b/.test(type)
  return `CAST(${quote(isText ? unescapeText(value) : value)} AS ${type})`
}

const ESCAPES: Record<string, string> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' }

/** Undoes the escaping of tab-separated values. */
function unescapeText(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, character: string) => ESCAPES[character] ?? character)
}
