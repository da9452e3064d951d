// `longpole why` as a person runs it: real files of each kind, the JSON shape, the text, and the exit status of bad input.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { afterAll, expect, test } from 'vitest'
import { createRandom } from '../../localizer/sampling.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-why-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const MAIN = new URL('../main.ts', import.meta.url).pathname
const START = 1_700_000_000
const INCIDENT = `${START + 600}..${START + 800}`

interface Row {
  at: number
  took: number
  failed: boolean
  shop: string
  carrier: string
}

const random = createRandom(5)
const ROWS: Row[] = Array.from({ length: 1_600 }, (_, index) => {
  const at = START + index / 2
  const shop = `shop-${Math.floor(random() * 4)}`
  const ill = at >= START + 600 && shop === 'shop-2'
  return {
    at,
    took: (ill ? 2 : 1) * (1 + random()),
    failed: random() < (ill ? 0.5 : 0.03),
    shop,
    carrier: `carrier "${Math.floor(random() * 3)}", ltd`,
  }
})

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const NDJSON = file('rows.ndjson', ROWS.map((row) => JSON.stringify(row)).join('\n'))
const CSV = file(
  'rows.csv',
  [
    'at,took,failed,shop,carrier',
    ...ROWS.map((row) => `${row.at},${row.took},${row.failed},${row.shop},"${row.carrier.replaceAll('"', '""')}"`),
  ].join('\r\n'),
)
const ARROW = file(
  'rows.arrow',
  tableToIPC(
    tableFromArrays({
      at: Float64Array.from(ROWS, (row) => row.at),
      took: Float64Array.from(ROWS, (row) => row.took),
      failed: ROWS.map((row) => row.failed),
      shop: ROWS.map((row) => row.shop),
      carrier: ROWS.map((row) => row.carrier),
    }),
    'file',
  ),
)

function why(...options: string[]): { status: number | null; stdout: string; stderr: string } {
  const ran = spawnSync(process.execPath, [MAIN, 'why', ...options], { encoding: 'utf8' })
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr }
}
const common = ['--time', 'at', '--dimensions', 'shop,carrier', '--incident', INCIDENT]

test.each([
  ['NDJSON', NDJSON],
  ['CSV', CSV],
  ['Arrow', ARROW],
])('%s: the slow slice as JSON, and a boolean target as a ratio', (_, table) => {
  const slow = why('--table', table, '--target', 'took', '--quantile', '0.9', ...common, '--json')
  expect(slow.status).toBe(0)
  const answer = JSON.parse(slow.stdout)
  expect(answer.rows).toEqual({ incident: 400, baseline: 1_200 })
  expect(answer.findings[0]).toMatchObject({ verdict: 'localized', slice: { shop: ['shop-2'] }, target: { column: 'took', quantile: 0.9 } })
  const failing = why('--table', table, '--target', 'failed', ...common, '--json')
  expect(JSON.parse(failing.stdout).findings[0]).toMatchObject({ verdict: 'localized', slice: { shop: ['shop-2'] } })
})

test('text for the incident channel names slice, onset, cost and healthy siblings', () => {
  const { status, stdout } = why('--table', NDJSON, '--target', 'took', '--slo', '2', ...common)
  expect(status).toBe(0)
  expect(stdout).toMatch(/^LOCALIZED: shop=shop-2 {2}\((high|medium) confidence/)
  expect(stdout).toMatch(/since {4}2023-11-14 22:2\d:\d\d UTC/)
  expect(stdout).toMatch(/bad requests/)
  expect(stdout).toMatch(/fine {5}shop=shop-/)
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(240)
})

test.each<[string, string[], number, RegExp]>([
  ['no such file', ['--table', 'nowhere.csv', '--target', 'took', ...common], 2, /--table: no such file/],
  ['an unknown column', ['--table', NDJSON, '--target', 'nope', ...common], 2, /--target: no column nope .* it has at, carrier/],
  ['a broken window', ['--table', NDJSON, '--target', 'took', '--time', 'at', '--incident', 'now'], 2, /--incident: expected FROM\.\.TO/],
  ['no incident', ['--table', NDJSON, '--target', 'took'], 2, /--incident/],
  [
    'an impossible quantile',
    ['--table', NDJSON, '--target', 'took', '--quantile', '7', ...common],
    2,
    /--quantile: expected a number between 0 and 1/,
  ],
  [
    'a broken line',
    ['--table', file('broken.ndjson', '{"at":1}\n{oops'), '--target', 'took', ...common],
    2,
    /broken\.ndjson:2: expected one JSON object/,
  ],
  [
    'a short record',
    ['--table', file('short.csv', 'at,took\n1'), '--target', 'took', ...common],
    2,
    /record 1 has 1 cells, the header has 2/,
  ],
  [
    'too few rows',
    ['--table', NDJSON, '--target', 'took', '--time', 'at', '--dimensions', 'shop', '--incident', '5..6'],
    3,
    /too few rows/,
  ],
  ['no hub', ['--hub', 'http://127.0.0.1:9', '--incident', INCIDENT], 2, /--hub: no hub answers .*--table/],
])('%s ends with its exit status and says what was wrong', (_, options, status, message) => {
  const ran = why(...options)
  expect(ran.stderr).toMatch(message)
  expect(ran.status).toBe(status)
  expect(ran.stdout).toBe('')
})
