// `npm run bench:alert-faults [-- --only F31,W5 --rate 26 --shape step --seed 5 --out verdicts.ndjson]`: simulated incidents through the hub's
// own registry into a real Prometheus. Who must be woken is, nobody else is, and does the page name phase and slice? One JSON line a case;
// `--summarize FILE …` prints the tables of docs/alerting.md from such lines.
import { appendFileSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { FAULTS } from '../../src/simulator/faults/index.ts'
import { parseShape } from '../../src/simulator/faults/plan.ts'
import { SHIFTS } from '../../src/simulator/shifts/index.ts'
import { firstPages, runCase } from './fault-case.ts'
import { History } from './history.ts'
import type { FaultCase } from './incident.ts'
import { LOOKBACK, pagesAt } from './page-at.ts'
import { summarize } from './summary.ts'
import { type CaseVerdict, judgeCase } from './verdict.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    seed: { type: 'string', default: '5' },
    rate: { type: 'string', default: '26' },
    severity: { type: 'string', default: 'high' },
    shape: { type: 'string', default: 'step' },
    out: { type: 'string' },
    summarize: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
  },
})

async function judge(given: FaultCase): Promise<CaseVerdict> {
  await using history = new History(LOOKBACK)
  const result = await runCase(given, history)
  const annotations: Record<string, string>[] = []
  for (const { alert, labels, value, from } of firstPages(result.incident, result.firings)) {
    const { pages } = await pagesAt(history, from, [{ alert, labels, value }])
    annotations.push(pages[0] ?? {})
    if (values.pages) process.stderr.write(`${alert.alert} ${JSON.stringify(labels)}\n${JSON.stringify(pages[0], null, 1)}\n`)
  }
  return judgeCase(given, result, annotations)
}

if (values.summarize) {
  const lines = positionals.flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((line) => line !== '')
  process.stdout.write(summarize(lines.map((line) => JSON.parse(line) as CaseVerdict)))
} else {
  const wanted = values.only?.split(',')
  const names = [...FAULTS, ...SHIFTS].map(({ id }) => id).filter((id) => wanted === undefined || wanted.includes(id))
  const faults = names.map((id) => (id.startsWith('W') ? id : `${id}:${values.severity}`))
  if (wanted === undefined || wanted.includes('healthy')) faults.push('')
  for (const fault of faults) {
    const given: FaultCase = {
      fault: fault === '' ? null : fault,
      shape: parseShape(values.shape),
      seed: Number(values.seed),
      rate: Number(values.rate),
      healthyMinutes: 10,
      faultMinutes: 25,
    }
    const line = JSON.stringify(await judge(given))
    if (values.out === undefined) console.log(line)
    else {
      appendFileSync(values.out, `${line}\n`)
      process.stderr.write('.')
    }
  }
}
