// Additive measures (orders, bytes, tokens) as scan inputs: a row's value is its mass. Two inputs: the values, which finds rises, and the
// values reflected at their expectation, which turns a fall into a rise.
import { applyMainEffects, fitMainEffects, type Side } from '../expectation/main-effects.ts'
import { sampleRows } from '../sampling.ts'
import type { Case } from '../selection/case.ts'
import { QuestionError } from '../table.ts'
import { countsOf, type ScanInput, sumSide } from './candidate.ts'
import type { PreparedRows } from './inputs.ts'

const FIT_ROWS = 100_000

export function buildSumInputs(given: Case, rows: PreparedRows): ScanInput[] {
  const unit = unitOf(given, rows.baseline)
  const mean = meanMass(given, rows, unit)
  const { dimensions, population, question } = given
  const fitted = sampleRows(population.draw, rows.baseline, FIT_ROWS, question.seed)
  const effects = fitMainEffects(makeSide(given, rows, fitted, unit, mean), dimensions)
  const sides = [rows.incident, rows.baseline].map((of) => {
    const side = makeSide(given, rows, of, unit, mean)
    applyMainEffects(side, dimensions, effects)
    return side
  }) as [Side, Side]
  return [sides, [reflected(sides[0]), reflected(sides[1])] as [Side, Side]].map(([a, b]) => ({
    dimensions,
    a,
    b,
    all: countsOf(sumSide(a), sumSide(b)),
    rate: 0,
    variance: 1,
    burstiness: 1,
    draw: population.draw,
  }))
}

/** Mass that counts as one event: Σv²/Σv, so that few large rows do not look like many. Throws on negative values. */
function unitOf(given: Case, baseline: Int32Array): number {
  let sum = 0
  let squares = 0
  for (const row of baseline) {
    const value = given.population.value[row] as number
    if (value < 0) throw new QuestionError('target', 'values ≥ 0 for an additive measure', String(value))
    sum += value
    squares += value * value
  }
  return sum > 0 ? squares / sum : 1
}

function massOf(given: Case, rows: PreparedRows, row: number, unit: number): number {
  const weight = rows.weights === null ? 1 : (rows.weights[row] as number)
  return (weight * (given.population.value[row] as number)) / unit
}

function meanMass(given: Case, rows: PreparedRows, unit: number): number {
  let sum = 0
  for (const row of rows.baseline) sum += massOf(given, rows, row, unit)
  return sum / Math.max(rows.baseline.length, 1)
}

function makeSide(given: Case, rows: PreparedRows, of: Int32Array, unit: number, mean: number): Side {
  const events = new Float32Array(of.length)
  for (let at = 0; at < of.length; at++) events[at] = massOf(given, rows, of[at] as number, unit)
  return { rows: of, events, expected: new Float32Array(of.length).fill(mean) }
}

function reflected({ rows, events, expected }: Side): Side {
  const mirrored = events.map((mass, at) => Math.max(0, 2 * (expected[at] as number) - mass))
  return { rows, events: mirrored, expected: expected.slice() }
}
