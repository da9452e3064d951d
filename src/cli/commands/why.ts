// `longpole why`: why did it get slow? Asks the hub, or localizes any table offline.
import type { ApiWhyRequest, ApiWhyResponse } from '@longpole/model/api'
import { API_PREFIX } from '@longpole/model/api'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'
import { Command } from 'commander'
import { localize } from '../../localizer/localize.ts'
import type { Question } from '../../localizer/question.ts'
import { QuestionError, type Table, TooFewRowsError } from '../../localizer/table.ts'
import { addHubOptions, askHub, HubError, type HubOptions } from '../hub-client.ts'
import { InputError } from '../input-error.ts'
import { parseWindow } from '../tables/instant.ts'
import { chooseMeasure } from '../tables/measure.ts'
import { readTable } from '../tables/read-table.ts'
import { renderFindings } from '../tables/render.ts'
import { readEvents, readSamples } from '../tables/side-files.ts'

interface WhyOptions extends HubOptions {
  table?: string
  time: string
  target?: string
  slo?: string
  quantile?: string
  dimensions?: string[]
  phases?: string[]
  covariates?: string[]
  weight?: string
  samples?: string
  events?: string
  incident: string
  baseline: string[]
  model?: string
  json?: boolean
}

const EXAMPLES = `
Examples:
  $ longpole why --incident 2026-11-24T10:00:00Z..2026-11-24T10:10:00Z
  $ longpole why --table records.ndjson --time start_unix_ns --target ttft --quantile 0.99 \\
      --dimensions cluster,replica,revision,tenant,route --incident 1700000600..1700000900
  $ longpole why --table orders.csv --time at --target failed --dimensions country,browser --incident 1700000600..1700000900 --json

Exit status: 0 any verdict, 2 bad input, 3 too few rows, 1 the hub has a trouble of its own.`

const list = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

export function createCommand(): Command {
  const command = new Command('why')
    .description('which phase, which slice, since when, how much and why; or that nothing is wrong')
    .option('--table <file>', 'localize this .ndjson (.gz), .csv or .arrow file instead of asking the hub')
    .option('--time <column>', 'column with the time of each row', 'start_unix_ns')
    .option('--target <column>', 'duration, flag or additive column that moved')
    .option('--slo <seconds>', 'a row above this is bad')
    .option('--quantile <q>', 'quantile that got worse, for example 0.99')
    .option('--dimensions <a,b,c>', 'columns a slice may be made of', list)
    .option('--phases <p,q,r>', 'duration columns that the target is made of', list)
    .option('--covariates <a,b>', 'workload columns, for example prompt_tokens,output_tokens', list)
    .option('--weight <column>', '1 ÷ sampling probability of each row')
    .option('--samples <file>', 'engine samples (NDJSON)')
    .option('--events <file>', 'change events (NDJSON)')
    .requiredOption('--incident <from..to>', 'Unix seconds or RFC 3339')
    .option('--baseline <from..to>', 'may be given several times; default: everything before the incident', append, [])
    .option('--model <name>', 'only this model')
    .option('--json', 'machine-readable answer')
    .addHelpText('after', EXAMPLES)
    .action(run)
  return addHubOptions(command)
}

function append(value: string, previous: string[]): string[] {
  return [...previous, value]
}

async function run(options: WhyOptions): Promise<void> {
  const response = options.table === undefined ? await askTheHub(options) : await askTable(options, options.table)
  if (options.json === true) process.stdout.write(`${JSON.stringify(response)}\n`)
  else process.stdout.write(renderFindings(response))
}

async function askTable(options: WhyOptions, file: string): Promise<ApiWhyResponse> {
  if (options.target === undefined) throw new InputError('--target: expected a column name, got nothing')
  const incident = parseWindow(options.incident, '--incident')
  const baseline = options.baseline.map((text) => parseWindow(text, '--baseline'))
  const progress = (rows: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\rreading ${file}: ${rows.toLocaleString('en-US')} rows`)
  }
  const { table, columns } = await readTable(
    file,
    {
      time: options.time,
      target: options.target,
      dimensions: options.dimensions ?? null,
      phases: options.phases ?? null,
      covariates: options.covariates ?? null,
      weight: options.weight ?? null,
    },
    progress,
  )
  checkColumns(options, table, columns, file)
  const question: Question = {
    target: options.target,
    measure: chooseMeasure(table, options.target, options),
    incident,
    baseline,
    dimensions: options.dimensions ?? knownDimensions(table),
    phases: options.phases ?? PHASE_COLUMNS.map((phase) => phase.seconds).filter((name) => table.numbers.has(name)),
    covariates: options.covariates ?? null,
    slo: null,
    model: options.model ?? null,
    samples: options.samples === undefined ? [] : await readSamples(options.samples),
    events: options.events === undefined ? [] : await readEvents(options.events),
    seed: 1,
  }
  const start = performance.now()
  try {
    const { findings, rows } = localize(table, question)
    return { findings, rows, seconds: (performance.now() - start) / 1000 }
  } catch (error) {
    if (error instanceof QuestionError) throw new InputError(`--${error.message}`)
    if (error instanceof TooFewRowsError) throw new InputError(error.message, 3)
    throw error
  }
}

function checkColumns(options: WhyOptions, table: Table, columns: ReadonlySet<string>, file: string): void {
  const named: [string, string[]][] = [
    ['--target', [options.target as string]],
    ['--dimensions', options.dimensions ?? []],
    ['--phases', options.phases ?? []],
    ['--covariates', options.covariates ?? []],
    ['--weight', options.weight === undefined ? [] : [options.weight]],
  ]
  for (const [key, names] of named) {
    for (const name of names) {
      if (!columns.has(name)) throw new InputError(`${key}: no column ${name} in ${file}; it has ${[...columns].sort().join(', ')}`)
      if (key === '--dimensions' && !table.dimensions.has(name)) throw new InputError(`--dimensions: column ${name} of ${file} is empty`)
      if (key === '--target' && name !== 'outcome' && !table.numbers.has(name))
        throw new InputError(`--target: column ${name} of ${file} is empty`)
    }
  }
}

/** Without --dimensions: the product's own dimensions with at least two values. */
function knownDimensions(table: Table): string[] {
  return REQUEST_COLUMNS.filter((column) => column.kind === 'dictionary' && !OUTCOME_COLUMNS.has(column.name))
    .map((column) => column.name)
    .filter((name) => (table.dimensions.get(name)?.values.length ?? 0) >= 2)
}

/** Dictionary columns that say how a request ended or who saw it: consequences, never causes. */
const OUTCOME_COLUMNS: ReadonlySet<string> = new Set(['outcome', 'error_class', 'finish_reason', 'vantage'])

async function askTheHub(options: WhyOptions): Promise<ApiWhyResponse> {
  const request: ApiWhyRequest = { incident: parseWindow(options.incident, '--incident') }
  if (options.model !== undefined) request.model = options.model
  if (options.target !== undefined) request.target = options.target
  if (options.slo !== undefined) request.slo_seconds = Number(options.slo)
  if (options.quantile !== undefined) request.quantile = Number(options.quantile)
  if (options.dimensions !== undefined) request.dimensions = options.dimensions
  if (options.baseline.length > 0) request.baseline = options.baseline.map((text) => parseWindow(text, '--baseline'))
  try {
    return (await (await askHub(options, `${API_PREFIX}/why`, { method: 'POST', body: request })).json()) as ApiWhyResponse
  } catch (error) {
    if (error instanceof HubError) throw error.code === 'too_few_rows' ? new InputError(error.message, 3) : error
    if (error instanceof InputError) throw new InputError(`--hub: ${error.message}; give --table to work offline`)
    throw error
  }
}
