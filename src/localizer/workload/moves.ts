// What moved in the workload: whose share of the requests changed, and whose lengths. Ranked by how surprising the move is per request
// (Kullback-Leibler divergence: Bernoulli for shares, normal in the logarithm for lengths), so that of a tenant and its route the one
// that really moved comes first.
import { roleOf } from '../roles.ts'
import { sampleRows } from '../sampling.ts'
import type { Case } from '../selection/case.ts'
import type { DimensionColumn } from '../table.ts'

export interface Move {
  /** `requests` for a share, else the length column. */
  quantity: string
  /** Null: the whole fleet. */
  dimension: string | null
  value: string | null
  /** Share of requests, or mean length, in the baseline and in the incident. */
  from: number
  to: number
  divergence: number
}

const MIN_SHARE_CHANGE = 0.03
const MIN_LENGTH_RATIO = 1.15
const MIN_ROWS = 15
/** z of a move against its sampling error. */
const MIN_Z = 5
/** …and against the share's own scatter over time. */
const MIN_SCATTERS = 3
const MAX_MOVES = 6
/** Lengths that tables of the product know; a question's covariates are added. */
const LENGTHS = ['prompt_tokens', 'output_tokens']

interface Group {
  rows: Float64Array
  /** Per length column: sum of lengths, of log lengths, of their squares, and known rows. */
  sums: { length: Float64Array; log: Float64Array; square: Float64Array; known: Float64Array }[]
}

export function lengthColumns(given: Case): string[] {
  const names = new Set([...given.conditioning.covariates, ...LENGTHS])
  return [...names].filter((name) => given.table.numbers.has(name) && name !== given.question.target)
}

export function findMoves(whole: Case): Move[] {
  const given = sampled(whole)
  const lengths = lengthColumns(given)
  const moves: Move[] = []
  const everything: DimensionColumn = { name: '', values: ['all'], ids: new Uint16Array(given.table.rows) }
  const incident = prepareRows(given, given.population.incident, lengths)
  const baseline = prepareRows(given, given.population.baseline, lengths)
  const fleet = [group(everything, incident), group(everything, baseline)]
  for (let index = 0; index < lengths.length; index++) noteLength(moves, fleet as [Group, Group], 0, index, lengths, null, null)
  for (const dimension of workloadDimensions(given)) {
    const now = group(dimension, incident)
    const before = group(dimension, baseline)
    for (let id = 0; id < dimension.values.length; id++) {
      noteShare(moves, now, before, id, given, dimension)
      for (let index = 0; index < lengths.length; index++) {
        noteLength(moves, [now, before], id, index, lengths, dimension.name, dimension.values[id] as string)
      }
    }
  }
  const order = (left: Move, right: Move) => right.divergence - left.divergence || (String(left.value) < String(right.value) ? -1 : 1)
  return moves.sort(order).slice(0, MAX_MOVES)
}

/** Moves that matter show in a sample. */
const SAMPLE = 30_000

function sampled(given: Case): Case {
  const { population, question } = given
  const some = (rows: Int32Array) => sampleRows(population.draw, rows, SAMPLE, question.seed + 5)
  return { ...given, population: { ...population, incident: some(population.incident), baseline: some(population.baseline) } }
}

/** The searched dimensions that are not parts of the fleet. */
export function workloadDimensions(given: Case): DimensionColumn[] {
  return given.dimensions.filter((dimension) => roleOf(dimension.name) !== 'fleet')
}

/** Rows with their weight and lengths: read once for all dimensions. */
interface PreparedRows {
  rows: Int32Array
  weight: Float64Array
  /** One per length; the logarithm is NaN where the length is unknown. */
  lengths: { length: Float64Array; log: Float64Array }[]
}

function prepareRows({ table }: Case, rows: Int32Array, lengths: string[]): PreparedRows {
  const { weight } = table
  return {
    rows,
    weight: Float64Array.from(rows, (row) => (weight === null ? 1 : (weight[row] as number))),
    lengths: lengths.map((name) => {
      const column = table.numbers.get(name) as Float64Array
      const length = Float64Array.from(rows, (row) => column[row] as number)
      return { length, log: length.map((value) => (value >= 0 ? Math.log(value + 1) : Number.NaN)) }
    }),
  }
}

function group({ ids, values }: DimensionColumn, { rows, weight, lengths }: PreparedRows): Group {
  const size = values.length + 1
  const counted = new Float64Array(size)
  for (let index = 0; index < rows.length; index++) {
    const id = ids[rows[index] as number] as number
    counted[id] = (counted[id] as number) + (weight[index] as number)
  }
  const sums = lengths.map(({ length, log: logs }) => {
    const sum = {
      length: new Float64Array(size),
      log: new Float64Array(size),
      square: new Float64Array(size),
      known: new Float64Array(size),
    }
    for (let index = 0; index < rows.length; index++) {
      const log = logs[index] as number
      if (Number.isNaN(log)) continue
      const id = ids[rows[index] as number] as number
      sum.length[id] = (sum.length[id] as number) + (length[index] as number)
      sum.log[id] = (sum.log[id] as number) + log
      sum.square[id] = (sum.square[id] as number) + log * log
      sum.known[id] = (sum.known[id] as number) + 1
    }
    return sum
  })
  return { rows: counted, sums }
}

function noteShare(moves: Move[], now: Group, before: Group, id: number, given: Case, dimension: DimensionColumn): void {
  const totalA = now.rows.reduce((sum, value) => sum + value, 0)
  const totalB = before.rows.reduce((sum, value) => sum + value, 0)
  const p = ((now.rows[id] as number) + 0.5) / (totalA + 1)
  const q = ((before.rows[id] as number) + 0.5) / (totalB + 1)
  if (Math.abs(p - q) < MIN_SHARE_CHANGE) return
  const nA = given.population.incident.length
  const nB = given.population.baseline.length
  const middle = (p * nA + q * nB) / (nA + nB)
  const z = Math.abs(p - q) / Math.sqrt(middle * (1 - middle) * (1 / nA + 1 / nB))
  if (z < MIN_Z || Math.abs(p - q) < MIN_SCATTERS * shareScatter(given, dimension, id)) return
  const divergence = p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
  moves.push({ quantity: 'requests', dimension: dimension.name, value: dimension.values[id] as string, from: q, to: p, divergence })
}

/** Standard deviation of a value's share over stretches of the baseline half as long as the incident. */
function shareScatter(given: Case, dimension: DimensionColumn, id: number): number {
  const { time } = given.table
  const { incident, baseline } = given.population.windows
  const rows = given.population.baseline
  const length = Math.max((incident.to - incident.from) / 2, 1e-9)
  const last = Math.max(...baseline.map((window) => window.to))
  const own = new Map<number, number>()
  const all = new Map<number, number>()
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    const block = Math.floor((last - (time[row] as number)) / length)
    all.set(block, (all.get(block) ?? 0) + 1)
    if (dimension.ids[row] === id) own.set(block, (own.get(block) ?? 0) + 1)
  }
  const shares = [...all].filter(([, count]) => count >= MIN_ROWS).map(([block, count]) => (own.get(block) ?? 0) / count)
  if (shares.length < 3) return 0
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  return Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1))
}

function noteLength(
  moves: Move[],
  groups: [Group, Group],
  id: number,
  index: number,
  lengths: string[],
  dimension: string | null,
  value: string | null,
): void {
  const a = groups[0].sums[index] as Group['sums'][number]
  const b = groups[1].sums[index] as Group['sums'][number]
  const nA = a.known[id] as number
  const nB = b.known[id] as number
  if (nA < MIN_ROWS || nB < MIN_ROWS) return
  const from = (b.length[id] as number) / nB
  const to = (a.length[id] as number) / nA
  const ratio = to / Math.max(from, 1e-9)
  if (ratio < MIN_LENGTH_RATIO && ratio > 1 / MIN_LENGTH_RATIO) return
  const meanA = (a.log[id] as number) / nA
  const meanB = (b.log[id] as number) / nB
  const variance = Math.max(
    0.05,
    ((a.square[id] as number) + (b.square[id] as number)) / (nA + nB) - ((meanA * nA + meanB * nB) / (nA + nB)) ** 2,
  )
  const z = Math.abs(meanA - meanB) / Math.sqrt(variance * (1 / nA + 1 / nB))
  if (z < MIN_Z) return
  const share = nA / groups[0].sums[index]!.known.reduce((sum, known) => sum + known, 0)
  moves.push({
    quantity: lengths[index] as string,
    dimension,
    value,
    from,
    to,
    divergence: (share * (meanA - meanB) ** 2) / (2 * variance),
  })
}
