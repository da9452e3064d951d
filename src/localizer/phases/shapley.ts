// Step 10: which phase? Shapley shares of the target's change over counterfactual phase swaps (rank-map.ts): a coalition of phases is
// healed, the target is computed again, and each phase gets its mean marginal contribution. On the prototype's 48 runs this named the
// right phase every time; differences of phase quantiles 38 times.
import type { PhaseShare } from '@longpole/model/finding'
import { createRandom } from '../sampling.ts'

export interface PhaseMatrix {
  names: string[]
  /** Per phase: values now and healed, aligned over rows. */
  now: Float64Array[]
  healed: Float64Array[]
  /** What the phases do not cover, per row. */
  rest: Float64Array
}

const RESAMPLES = 16
const RESAMPLED_ROWS = 1_000

export function phaseShares(matrix: PhaseMatrix, summary: (values: Float64Array) => number, seed: number): PhaseShare[] {
  const shares = shapley(matrix, summary, null)
  const random = createRandom(seed)
  const rows = matrix.rest.length
  const draws = Array.from({ length: RESAMPLES }, () => {
    const at = Uint32Array.from({ length: Math.min(rows, RESAMPLED_ROWS) }, () => Math.floor(random() * rows))
    return shapley(matrix, summary, at)
  })
  return matrix.names
    .map((phase, index) => {
      const share = shares[index] as number
      const drawn = draws.map((draw) => draw[index] as number).filter(Number.isFinite)
      drawn.sort((left, right) => left - right)
      return { phase, share, low: Math.min(share, drawn[1] ?? share), high: Math.max(share, drawn.at(-2) ?? share) }
    })
    .sort((left, right) => right.share - left.share || (left.phase < right.phase ? -1 : 1))
}

/**
 * Shares of the rise: those of phases that rose sum to 1, a phase that became shorter has a negative one. Zeros where the whole change is
 * not positive. Of the net change they would exceed 1 wherever anything became shorter.
 */
function shapley(matrix: PhaseMatrix, summary: (values: Float64Array) => number, at: Uint32Array | null): number[] {
  const players = matrix.names.length
  const values = coalitionValues(matrix, summary, at)
  const whole = (values[0] as number) - (values[values.length - 1] as number)
  const shares = shapleyFalls(players, values)
  const rise = shares.reduce((sum, share) => sum + Math.max(share, 0), 0)
  if (!(whole > 0) || !(rise > 0)) return shares.map(() => 0)
  return shares.map((share) => share / rise)
}

/** By how much each player lowers the value, on average over all orders. `values`: by set of players, as a bit mask. */
export function shapleyFalls(players: number, values: ArrayLike<number>): number[] {
  const weights = shapleyWeights(players)
  return Array.from({ length: players }, (_, player) => {
    let sum = 0
    for (let set = 0; set < values.length; set++) {
      if ((set >> player) & 1) continue
      sum += (weights[popCount(set)] as number) * ((values[set] as number) - (values[set | (1 << player)] as number))
    }
    return sum
  })
}

/** Target for each set of healed phases (bit mask). */
function coalitionValues(matrix: PhaseMatrix, summary: (values: Float64Array) => number, at: Uint32Array | null): Float64Array {
  const players = matrix.names.length
  const rows = at === null ? matrix.rest.length : at.length
  const total = new Float64Array(rows)
  const results = new Float64Array(1 << players)
  for (let set = 0; set < results.length; set++) {
    for (let row = 0; row < rows; row++) total[row] = matrix.rest[at === null ? row : (at[row] as number)] as number
    for (let player = 0; player < players; player++) {
      const column = ((set >> player) & 1 ? matrix.healed : matrix.now)[player] as Float64Array
      for (let row = 0; row < rows; row++) {
        total[row] = (total[row] as number) + (column[at === null ? row : (at[row] as number)] as number)
      }
    }
    results[set] = summary(total)
  }
  return results
}

/** |S|!(n − |S| − 1)!/n! by |S|. */
function shapleyWeights(players: number): number[] {
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))
  return Array.from({ length: players }, (_, size) => (factorial(size) * factorial(players - size - 1)) / factorial(players))
}

function popCount(set: number): number {
  let count = 0
  for (let rest = set; rest > 0; rest &= rest - 1) count++
  return count
}
