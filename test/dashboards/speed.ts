// `npm run dashboards:speed [-- --times 17 --minutes 12]`: how long every query of every board takes on a large fleet. A simulated fleet's own
// page is copied under other names of models and replicas until there are fifty models and two hundred replicas and more, written as blocks,
// and asked as Grafana asks: tables at one instant, graphs over the range. Prints the slowest.

import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { dataPanels, type LintBoard } from '../../dashboards/lint/rules.ts'
import { loadConfig } from '../../src/config/load.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { writeHistory } from '../metrics/history.ts'
import { startPrometheus } from '../metrics/prometheus.ts'
import { FLEET_START, simulateFleet } from '../metrics/simulated-fleet.ts'
import { resolveQuery } from './resolve-query.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const { values: options } = parseArgs({
  options: {
    times: { type: 'string', default: '17' },
    minutes: { type: 'string', default: '12' },
    rate: { type: 'string', default: '10' },
    most: { type: 'string', default: '12' },
  },
})
const STEP = 30
const LIMIT_MS = 1_000

/** Each line again under the names of other models and their replicas. */
async function multiply(from: string, to: string, times: number): Promise<void> {
  const out = createWriteStream(to)
  for await (const line of createInterface({ input: createReadStream(from) })) {
    if (line.startsWith('#')) continue
    for (let copy = 0; copy < times; copy++) {
      const named = line.replaceAll(/(model|replica|source|destination)="([^"]+)"/g, (_, label, value) => `${label}="${value}-${copy}"`)
      if (copy > 0 && named === line) break
      if (!out.write(`${named}\n`)) await once(out, 'drain')
    }
  }
  out.end('# EOF\n')
  await finished(out)
}

const directory = mkdtempSync(join(tmpdir(), 'longpole-speed-'))
try {
  const minutes = Number(options.minutes)
  const end = Number(FLEET_START / 1_000_000_000n) + minutes * 60
  const fleet = simulateFleet({ seed: 3, minutes, rate: Number(options.rate), injections: [] })
  const objectives = resolveObjectives(loadConfig({ environment: {} }))
  await writeHistory(join(directory, 'one.om'), { ...fleet, objectives, stepSeconds: STEP })
  await multiply(join(directory, 'one.om'), join(directory, 'many.om'), Number(options.times))
  const rules = [join(ROOT, 'alerts/generated/recordings.yaml')]
  const settings = { directory, pages: [join(directory, 'many.om')], from: end - 150, to: end, step: STEP, ruleFiles: rules }
  await using prometheus = Object.assign(await startPrometheus(settings), {
    async [Symbol.asyncDispose](this: { close(): Promise<void> }) {
      await this.close()
    },
  })
  const count = async (expr: string) => Number((await prometheus.query(expr, end))[0]?.value?.[1] ?? 0)
  console.log(
    `${await count('count(count by (model) (longpole_engine_up))')} models, ${await count('count(count by (replica) (longpole_engine_up))')} replicas, ${await count('count({__name__=~"longpole_.*"})')} series`,
  )
  const found: { milliseconds: number; panel: string; expr: string }[] = []
  for (const file of readdirSync(join(ROOT, 'dashboards/generated')).filter((name) => name.endsWith('.json'))) {
    const board = JSON.parse(readFileSync(join(ROOT, 'dashboards/generated', file), 'utf8')) as LintBoard
    for (const panel of dataPanels(board)) {
      for (const { expr = '', instant } of panel.targets ?? []) {
        const resolved = resolveQuery(expr, { rate: 120, range: 600 })
        const began = performance.now()
        if (instant === true) await prometheus.query(resolved, end)
        else await prometheus.range(resolved, end - 450, end, STEP)
        found.push({ milliseconds: performance.now() - began, panel: `${file.replace('.json', '')} / ${panel.title}`, expr: resolved })
      }
    }
  }
  found.sort((a, b) => b.milliseconds - a.milliseconds)
  for (const { milliseconds, panel, expr } of found.slice(0, Number(options.most)))
    console.log(`${milliseconds.toFixed(0)} ms  ${panel}: ${expr.slice(0, 160)}`)
  const slow = found.filter(({ milliseconds }) => milliseconds > LIMIT_MS)
  console.log(`${found.length} queries, ${slow.length} above ${LIMIT_MS} ms`)
  if (slow.length > 0) process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}
