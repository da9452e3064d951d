// `npm run bench:localizer`: processor seconds and memory of localize() on a large table, cold and with the baseline known, beside what
// DuckDB needs for all single and pair group-bys where `--duckdb DIR` names a directory with its Node client. `--rows`, `--dimensions`, `--quiet`.
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { localize } from '../src/localizer/localize.ts'
import type { Question } from '../src/localizer/question.ts'
import { createRandom } from '../src/localizer/sampling.ts'
import { compactIds, type DimensionColumn, type Table } from '../src/localizer/table.ts'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    dimensions: { type: 'string', default: '20' },
    runs: { type: 'string', default: '3' },
    quiet: { type: 'boolean', default: false },
    duckdb: { type: 'string' },
  },
})

const START = 1_700_000_000
const SECONDS = 7_200
const INCIDENT_SECONDS = 1_200
const CARDINALITIES = [4, 12, 24, 192, 6, 8, 3, 2, 5, 12, 300, 2, 10, 30, 16, 3, 9, 12, 4, 24]
const PHASES = ['engine_queue', 'engine_prefill', 'stream_network', 'client_upload', 'gateway_route', 'engine_tokenize'].map(
  (name) => `phase_${name}`,
)

/** Four nested dimensions (region › zone › cluster › node), the others independent with a skew; node 17 is slow in the incident. */
function makeTable(rows: number, width: number, fault: boolean): Table {
  const random = createRandom(7)
  const ids = Array.from({ length: width }, () => new Int32Array(rows))
  const time = new Float64Array(rows)
  const numbers = new Map(['ttft', 'prompt_tokens', ...PHASES].map((name) => [name, new Float64Array(rows)]))
  const column = (name: string) => numbers.get(name) as Float64Array
  const sizes = Array.from({ length: width }, (_, index) => CARDINALITIES[index % CARDINALITIES.length] as number)
  for (let row = 0; row < rows; row++) {
    time[row] = START + (SECONDS * row) / rows
    const node = Math.floor(random() * 192)
    const nested = [Math.floor(node / 48), Math.floor(node / 16), Math.floor(node / 8), node]
    for (let index = 0; index < width; index++) {
      ;(ids[index] as Int32Array)[row] = index < 4 ? (nested[index] as number) : Math.floor(random() ** 2 * (sizes[index] as number))
    }
    const incident = (time[row] as number) >= START + SECONDS - INCIDENT_SECONDS
    const prompt = Math.ceil(2_000 * (random() + random() * random() * 4))
    const slow = fault && incident && node === 17 ? 1.8 : 1
    const noise = () => 0.6 + 0.8 * random()
    const parts = [
      0.02 * -Math.log(1 - random()) * slow,
      (0.03 + prompt * 6e-5) * noise() * slow,
      0.02 * noise(),
      0.02 * noise(),
      0.005 * noise(),
      prompt * 2e-6 * noise(),
    ]
    let sum = 0
    for (let index = 0; index < PHASES.length; index++) {
      column(PHASES[index] as string)[row] = parts[index] as number
      sum += parts[index] as number
    }
    column('ttft')[row] = sum
    column('prompt_tokens')[row] = prompt
  }
  const dimensions = new Map<string, DimensionColumn>(
    ids.map((of, index) => {
      const name = `d${index}`
      const values = Array.from({ length: sizes[index] as number }, (_, value) => `${name}-${value}`)
      return [name, { name, values, ids: compactIds(of, values.length) }]
    }),
  )
  return { rows, time, weight: null, dimensions, numbers, flags: new Set() }
}

function ask(table: Table): Question {
  return {
    target: 'ttft',
    measure: { kind: 'quantile', quantile: 0.95 },
    incident: { from: START + SECONDS - INCIDENT_SECONDS, to: START + SECONDS },
    baseline: [{ from: START, to: START + SECONDS - INCIDENT_SECONDS }],
    dimensions: [...table.dimensions.keys()],
    phases: PHASES,
    covariates: null,
    slo: null,
    model: null,
    samples: [],
    events: [],
    seed: 1,
  }
}

function measure<T>(work: () => T): { value: T; cpu: number; wall: number } {
  const before = process.cpuUsage()
  const start = performance.now()
  const value = work()
  const used = process.cpuUsage(before)
  return { value, cpu: (used.user + used.system) / 1e6, wall: (performance.now() - start) / 1e3 }
}

function seconds({ cpu, wall }: { cpu: number; wall: number }): string {
  return `${cpu.toFixed(2)} s of processor (${wall.toFixed(2)} s)`
}

/** The same rows as a table that nobody has asked about. */
function asNew(table: Table): Table {
  return { ...table, dimensions: new Map([...table.dimensions].map(([name, column]) => [name, { ...column }])) }
}

/** Just what is used of `@duckdb/node-api`, which the product does not depend on. */
interface DuckDb {
  DuckDBInstance: {
    create(path: string, settings: Record<string, string>): Promise<{ connect(): Promise<{ run(sql: string): Promise<unknown> }> }>
  }
}

/** All single and pair group-bys of the same rows on one thread, in seconds of processor: counts and events on both sides. */
async function duckDbSeconds(table: Table, directory: string): Promise<number> {
  const { DuckDBInstance } = createRequire(join(directory, 'package.json'))('@duckdb/node-api') as DuckDb
  const scratch = mkdtempSync(join(tmpdir(), 'longpole-duckdb-'))
  const file = join(scratch, 'rows.csv')
  await writeRows(table, file)
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  await connection.run(`CREATE TABLE t AS SELECT * FROM read_csv('${file}')`)
  rmSync(scratch, { recursive: true })
  const names = [...table.dimensions.keys()]
  const groups = names.flatMap((name, index) => [name, ...names.slice(index + 1).map((other) => `${name}, ${other}`)])
  const before = process.cpuUsage()
  for (const [index, group] of groups.entries()) {
    const sums = 'sum(now) AS a, sum(now * bad) AS ca, sum(1 - now) AS b, sum((1 - now) * bad) AS cb'
    await connection.run(`CREATE OR REPLACE TEMP TABLE g${index % 2} AS SELECT ${group}, ${sums} FROM t GROUP BY ${group}`)
  }
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1e6
}

async function writeRows(table: Table, file: string): Promise<void> {
  const out = createWriteStream(file)
  const columns = [...table.dimensions.values()]
  const took = table.numbers.get('ttft') as Float64Array
  out.write(`${[...table.dimensions.keys(), 'now', 'bad'].join(',')}\n`)
  for (let from = 0; from < table.rows; from += 10_000) {
    const lines: string[] = []
    for (let row = from; row < Math.min(from + 10_000, table.rows); row++) {
      const now = (table.time[row] as number) >= START + SECONDS - INCIDENT_SECONDS ? 1 : 0
      lines.push(`${columns.map(({ ids }) => ids[row]).join(',')},${now},${(took[row] as number) > 0.3 ? 1 : 0}`)
    }
    if (!out.write(`${lines.join('\n')}\n`)) await once(out, 'drain')
  }
  await new Promise<void>((resolve) => out.end(resolve))
}

async function main(): Promise<void> {
  const table = makeTable(Number(options.rows), Number(options.dimensions), !options.quiet)
  const question = ask(table)
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
  console.log(`${table.rows} rows × ${table.dimensions.size} dimensions; the table and Node: ${megabytes(process.memoryUsage().rss)}`)
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < Number(options.runs); run++) {
    const unknown = asNew(table)
    const cold = measure(() => localize(unknown, question))
    best = Math.min(best, cold.cpu)
    // A later look against the same baseline: the incident went on, so nothing of it is known.
    const later = { ...question, incident: { ...question.incident, to: question.incident.to - 1 } }
    const warm = measure(() => localize(unknown, later))
    const first = cold.value.findings[0]
    console.log(
      `run ${run + 1}: cold ${seconds(cold)}, baseline known ${seconds(warm)}; ${first?.verdict} ${JSON.stringify(first?.slice)}, ${warm.value.findings[0]?.verdict}`,
    )
  }
  console.log(`peak memory ${megabytes(process.resourceUsage().maxRSS * 1024)}`)
  if (options.duckdb === undefined) return
  const theirs = await duckDbSeconds(table, options.duckdb)
  console.log(`DuckDB, all single and pair group-bys: ${theirs.toFixed(2)} s of processor; cold ÷ DuckDB = ${(best / theirs).toFixed(2)}`)
}

await main()
