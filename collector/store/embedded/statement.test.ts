import fc from 'fast-check'
import { expect, test } from 'vitest'
import { prepareStatement, type Statement, type StatementInput } from './statement.ts'

function prepare(
  sql: string,
  {
    parameters = {},
    settings = {},
    hasBody = false,
    defaultFormat = 'TabSeparated',
  }: {
    parameters?: Record<string, string>
    settings?: Record<string, string>
    hasBody?: boolean
    defaultFormat?: string
  } = {},
): Statement {
  const input: StatementInput = {
    sql,
    hasBody,
    defaultFormat,
    parameters: new Map(Object.entries(parameters)),
    settings: new Map(Object.entries(settings)),
  }
  return prepareStatement(input)
}

test('reads, inserts with a body and other statements are told apart', () => {
  expect(prepare('SELECT 1 FORMAT JSONEachRow')).toEqual({ kind: 'read', sql: 'SELECT 1', format: 'JSONEachRow', isStreamable: true })
  expect(prepare('with 1 as x select x')).toMatchObject({ kind: 'read', format: 'TabSeparated', isStreamable: true })
  expect(prepare('SELECT 1\nFORMAT Parquet')).toMatchObject({ format: 'Parquet', isStreamable: false })
  expect(prepare('INSERT INTO t VALUES (1)')).toEqual({ kind: 'command', sql: 'INSERT INTO t VALUES (1)' })
  const insert = prepare('INSERT INTO t (a, b) FORMAT ArrowStream', { hasBody: true })
  expect(insert.kind === 'insert' && insert.fromFile("/x/'y")).toBe("INSERT INTO t (a, b) SELECT a, b FROM file('/x/\\'y', 'ArrowStream')")
  const select = prepare("INSERT INTO t (a) SELECT b FROM input('b Int8') FORMAT ArrowStream", { hasBody: true })
  expect(select.kind === 'insert' && select.fromFile('/f')).toBe("INSERT INTO t (a) SELECT b FROM file('/f', 'ArrowStream', 'b Int8')")
  expect(() => prepare('INSERT INTO t (a)', { hasBody: true })).toThrow('needs a FORMAT')
})

test('settings go into the statement, and only where it takes them', () => {
  const settings = { max_execution_time: '5', final: '1' }
  expect(prepare('SELECT 1', { settings })).toMatchObject({ sql: "SELECT 1 SETTINGS max_execution_time = '5', final = '1'" })
  expect(prepare('SELECT 1 SETTINGS final = 0', { settings })).toMatchObject({
    sql: "SELECT 1 SETTINGS max_execution_time = '5', final = '1', final = 0",
  })
  expect(prepare("SELECT ' SETTINGS '", { settings })).toMatchObject({ sql: expect.stringContaining("' SETTINGS ' SETTINGS max") })
  expect(prepare('DROP TABLE t', { settings })).toEqual({ kind: 'command', sql: 'DROP TABLE t' })
})

test('one statement at a time; a semicolon in a text, a name or a comment is none', () => {
  for (const sql of ['SELECT 1; SELECT 2', 'SELECT 1;; ', "SELECT 'a'; DROP TABLE t"])
    expect(() => prepare(sql)).toThrow('one statement at a time')
  for (const sql of [
    'SELECT 1;',
    "SELECT ';'",
    'SELECT `;`',
    'SELECT ";"',
    'SELECT 1 -- ; here',
    'SELECT /* ; */ 1',
    "SELECT 'it''s ;'",
    "SELECT '\\';'",
  ]) {
    expect(prepare(sql).kind).toBe('read')
  }
})

test('parameters are typed literals; what looks like one inside a text is text', () => {
  expect(prepare('SELECT {a:UInt8}', { parameters: { a: '7' } })).toMatchObject({ sql: "SELECT CAST('7' AS UInt8)" })
  expect(prepare("SELECT '{a:UInt8}'")).toMatchObject({ sql: "SELECT '{a:UInt8}'" })
  expect(prepare('SELECT {a:Nullable(String)}', { parameters: { a: '\\N' } })).toMatchObject({ sql: 'SELECT NULL' })
  expect(prepare('SELECT {a:Identifier} FROM t', { parameters: { a: 'x`y' } })).toMatchObject({ sql: 'SELECT `x\\`y` FROM t' })
  expect(() => prepare('SELECT {a:UInt8}')).toThrow('parameter a has no value')
  expect(() => prepare("SELECT {a:Enum8('x'=1)}", { parameters: { a: 'x' } })).toThrow('not supported')
})

test('whatever text a parameter has, the statement stays the one it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = text.replace(
        /[\\'\t\n\r]/g,
        (character) => ({ '\t': '\\t', '\n': '\\n', '\r': '\\r' })[character] ?? `\\${character}`,
      )
      const { sql } = prepare('SELECT {a:String} AS x', { parameters: { a: escaped } }) as { sql: string }
      const literal = /^SELECT CAST\('((?:[^'\\]|\\[\s\S])*)' AS String\) AS x$/.exec(sql)?.[1]
      expect(literal?.replace(/\\([\s\S])/g, '$1')).toBe(text)
    }),
    { seed: 7, numRuns: 500 },
  )
})
