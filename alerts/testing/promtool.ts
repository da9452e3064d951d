// Runs an alert's rule.test.yaml with the real promtool against just that alert and the recordings behind it, so that a test takes
// tens of milliseconds and a mutated rule can be judged alone. `npm run check:alerts` runs the same files against the whole output.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDocument, stringify } from 'yaml'
import { configSchema } from '../../src/config/schema.ts'
import { alertContext, recordingGroups } from '../generate.ts'
import { ALERTS } from '../index.ts'
import { type AlertDefinition, type PrometheusAlert, type RecordingRule, render } from '../rule.ts'

export const ALERTS_FOLDER = new URL('..', import.meta.url).pathname

const context = alertContext(configSchema.parse({}))
const recorded = recordingGroups(context).flatMap((group) => group.rules)

/** An alert's rules as committed, with the recordings that they read, directly or not, in an order that evaluates them first. */
export function rulesOf(definition: AlertDefinition): { recordings: RecordingRule[]; alerts: PrometheusAlert[] } {
  const alerts = render(definition, context)
  const needed = new Set<RecordingRule>()
  const collect = (expr: string): void => {
    for (const rule of recorded) {
      if (!needed.has(rule) && mentions(expr, rule.record)) {
        needed.add(rule)
        collect(rule.expr)
      }
    }
  }
  for (const { expr } of alerts) collect(expr)
  return { recordings: recorded.filter((rule) => needed.has(rule)), alerts }
}

function mentions(expr: string, name: string): boolean {
  return new RegExp(`(?<![\\w:])${name}(?![\\w:])`).test(expr)
}

export interface PromtoolResult {
  passed: boolean
  output: string
}

/**
 * promtool's verdict on a folder's test file with these rules in place of the generated ones. With `slo`, what the file says of other
 * objectives is left out: their rules are independent, and a sixth of the work remains.
 */
export async function testRules(
  promtool: string,
  name: string,
  rules: { recordings: readonly RecordingRule[]; alerts: readonly Partial<PrometheusAlert>[] },
  slo?: string,
): Promise<PromtoolResult> {
  const folder = mkdtempSync(join(tmpdir(), 'longpole-rules-'))
  try {
    // Annotations cost a dozen queries an alert and step, and no rule test looks at them.
    const alerts = rules.alerts.map(({ annotations: _annotations, ...rule }) => rule)
    writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'subset', rules: [...rules.recordings, ...alerts] }] }))
    const test = parseDocument(readFileSync(join(ALERTS_FOLDER, name, 'rule.test.yaml'), 'utf8'))
    test.set('rule_files', ['rules.yaml'])
    writeFileSync(join(folder, 'test.yaml'), stringify(slo === undefined ? test.toJS() : onlyObjective(test.toJS(), slo)))
    return await run(promtool, ['test', 'rules', join(folder, 'test.yaml')])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface TestFile {
  tests: {
    input_series?: { series: string }[]
    promql_expr_test: { exp_samples: { labels: string }[] }[]
  }[]
}

function onlyObjective(file: TestFile, slo: string): TestFile {
  const isOurs = (text: string) => !text.includes('slo="') || text.includes(`slo="${slo}"`)
  for (const entry of file.tests) {
    entry.input_series = entry.input_series?.filter(({ series }) => isOurs(series))
    for (const check of entry.promql_expr_test) check.exp_samples = check.exp_samples.filter(({ labels }) => isOurs(labels))
  }
  return file
}

export function run(command: string, args: readonly string[], timeoutMs = 120_000): Promise<PromtoolResult> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ passed: error === null, output: `${stdout}${stderr}` })
    })
  })
}

export function definitionOf(name: string): AlertDefinition {
  const definition = ALERTS.find((alert) => alert.name === name)
  if (definition === undefined) throw new Error(`no alert is named ${name}`)
  return definition
}
