// `npm run bench:calibration -- DIR`: the engine model against measured runs, published points and a trace of prefix blocks. DIR holds
// runs (folders with requests.jsonl and meta.json) anywhere below it and, for the cache, mooncake-*.jsonl. Prints a table; exit 1 when
// something is outside its bound.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findRuns, relativeError, scoreRun } from './calibration/measured-runs.ts'
import { scoreReuse } from './calibration/prefix-reuse.ts'
import { scorePoints } from './calibration/published-points.ts'

const ALLOWED: Record<string, number> = { queue: 0.1, prefill: 0.1, TPOT: 0.03 }
const CAPACITIES = [500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000]
const ALLOWED_POINTS = 0.03

const directory = process.argv[2]
if (directory === undefined || !existsSync(directory)) {
  process.stderr.write(`bench:calibration: expected a directory with measured runs, got ${directory ?? 'nothing'}\n`)
  process.exit(2)
}
let outside = 0
const line = (name: string, expected: string, got: string, error: number, allowed: number) => {
  const ok = error <= allowed
  if (!ok) outside++
  process.stdout.write(
    `  ${name.padEnd(44)} ${expected.padStart(12)} ${got.padStart(12)} ${(100 * error).toFixed(1).padStart(7)} % ${ok ? '' : `> ${100 * allowed} %`}\n`,
  )
}

for (const path of findRuns(directory)) {
  const score = scoreRun(path)
  process.stdout.write(`${score.run}: fitted on the first half, scored on the second (measured, simulated, error)\n`)
  for (const [name, [expected, got]] of Object.entries(score.metrics)) {
    line(
      name,
      `${(1e3 * expected).toFixed(2)} ms`,
      `${(1e3 * got).toFixed(2)} ms`,
      relativeError(expected, got),
      ALLOWED[name.split(' ')[0] as string] as number,
    )
  }
  process.stdout.write(
    `  fitted: ${Object.entries(score.parameters)
      .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
      .join(', ')}\n`,
  )
}
process.stdout.write('published points, nothing fitted\n')
for (const { point, published, simulated, allowed } of scorePoints()) {
  line(point, published.toFixed(0), simulated.toFixed(1), Math.abs(simulated / published - 1), allowed)
}
for (const name of readdirSync(directory).filter((entry) => /^mooncake.*\.jsonl$/.test(entry))) {
  process.stdout.write(`${name}: token-weighted prefix hit ratio (LRU bound, simulated, difference in points)\n`)
  for (const { kvTokens, bound, simulated } of scoreReuse(join(directory, name), CAPACITIES)) {
    line(`${kvTokens / 1e6} M tokens of KV`, bound.toFixed(4), simulated.toFixed(4), Math.abs(simulated - bound), ALLOWED_POINTS)
  }
}
process.exitCode = outside > 0 ? 1 : 0
