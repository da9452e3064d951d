// What others do with the same rows: rankings of single values. None of them knows when to stay silent.
import type { Slice } from '@longpole/model/finding'
import type { TruthCase } from './case.ts'

export type Baseline = (given: TruthCase) => Slice[]

interface Counts {
  dimension: string
  value: string
  slowA: number
  allA: number
  slowB: number
  allB: number
}

interface Tally {
  values: Counts[]
  slowA: number
  allA: number
  slowB: number
  allB: number
}

/** Slow: above the baseline's 95th percentile. */
function tally(given: TruthCase): Tally {
  const { table, question } = given
  const target = table.numbers.get(question.target) as Float64Array
  const before = target.filter((value, row) => (table.time[row] as number) < question.incident.from && !Number.isNaN(value)).sort()
  const threshold = before[Math.floor(0.95 * before.length)] ?? Number.POSITIVE_INFINITY
  const total: Tally = { values: [], slowA: 0, allA: 0, slowB: 0, allB: 0 }
  const side = (row: number) => ((table.time[row] as number) >= question.incident.from ? 'A' : 'B')
  const isSlow = (row: number) => (target[row] as number) > threshold || Number.isNaN(target[row] as number)
  for (let row = 0; row < table.rows; row++) {
    total[`all${side(row)}`]++
    if (isSlow(row)) total[`slow${side(row)}`]++
  }
  for (const name of question.dimensions) {
    const dimension = table.dimensions.get(name)
    if (dimension === undefined) continue
    const counts = dimension.values.map((value): Counts => ({ dimension: name, value, slowA: 0, allA: 0, slowB: 0, allB: 0 }))
    for (let row = 0; row < table.rows; row++) {
      const entry = counts[dimension.ids[row] as number]
      if (entry === undefined) continue
      entry[`all${side(row)}`]++
      if (isSlow(row)) entry[`slow${side(row)}`]++
    }
    total.values.push(...counts.filter((entry) => entry.allA > 0))
  }
  return total
}

function ranked(given: TruthCase, score: (value: Counts, all: Tally) => number): Slice[] {
  const all = tally(given)
  const scored = all.values.map((value) => ({ value, score: score(value, all) })).filter((entry) => Number.isFinite(entry.score))
  scored.sort((left, right) => right.score - left.score)
  return scored.slice(0, 3).map(({ value }) => ({ [value.dimension]: [value.value] }))
}

/** HyperDX event deltas and Grafana's comparison: largest difference of shares among slow rows. */
const shareDifference: Baseline = (given) =>
  ranked(given, (value, all) => value.slowA / Math.max(all.slowA, 1) - value.slowB / Math.max(all.slowB, 1))

/** MacroBase: risk ratio inside the incident with a support of 2 %. */
const riskRatio: Baseline = (given) =>
  ranked(given, (value, all) => {
    if (value.slowA < 0.02 * all.slowA) return Number.NEGATIVE_INFINITY
    const inside = value.slowA / Math.max(value.allA, 1)
    const outside = (all.slowA - value.slowA) / Math.max(all.allA - value.allA, 1)
    return inside / Math.max(outside, 1e-9)
  })

/** BigQuery contribution analysis: difference beyond what the complement's change predicts. */
const unexpectedDifference: Baseline = (given) =>
  ranked(given, (value, all) => value.slowA - value.slowB * ((all.slowA - value.slowA) / Math.max(all.slowB - value.slowB, 1)))

/** Adtributor (NSDI 2014): the dimension with the highest surprise whose elements explain enough; its best element. */
const adtributor: Baseline = (given) => {
  const all = tally(given)
  const surprise = (value: Counts) => {
    const p = value.slowB / Math.max(all.slowB, 1)
    const q = value.slowA / Math.max(all.slowA, 1)
    const term = (x: number, y: number) => (x > 0 ? 0.5 * x * Math.log((2 * x) / (x + y)) : 0)
    return term(p, q) + term(q, p)
  }
  const scale = all.allA / Math.max(all.allB, 1)
  const change = all.slowA - all.slowB * scale
  const power = (value: Counts) => (value.slowA - value.slowB * scale) / (change === 0 ? 1 : change)
  const byDimension = new Map<string, { surprise: number; best: Counts[] }>()
  for (const name of given.question.dimensions) {
    const values = all.values
      .filter((value) => value.dimension === name && power(value) > 0.1)
      .sort((left, right) => surprise(right) - surprise(left))
    let explained = 0
    const kept: Counts[] = []
    for (const value of values) {
      kept.push(value)
      explained += power(value)
      if (explained > 0.67) break
    }
    if (explained > 0.67) byDimension.set(name, { surprise: kept.reduce((sum, value) => sum + surprise(value), 0), best: kept })
  }
  const order = [...byDimension].sort((left, right) => right[1].surprise - left[1].surprise)
  return order.slice(0, 3).map(([name, { best }]) => ({ [name]: best.map((value) => value.value) }))
}

/** Largest robust z of a value's share of slow rows against its own baseline. */
const robustZ: Baseline = (given) =>
  ranked(given, (value) => {
    if (value.allA < 20 || value.allB < 20) return Number.NEGATIVE_INFINITY
    const p = (value.slowB + 1) / (value.allB + 2)
    return (value.slowA / value.allA - p) / Math.sqrt((p * (1 - p)) / value.allA)
  })

export const BASELINES: Record<string, Baseline> = {
  'max share difference (HyperDX, Grafana)': shareDifference,
  Adtributor: adtributor,
  'risk ratio (MacroBase)': riskRatio,
  'unexpected difference (BigQuery)': unexpectedDifference,
  'robust z, one dimension': robustZ,
}
