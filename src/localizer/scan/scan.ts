// Step 4: which slices brought more events than expected? Singles and sets on every row, pairs and triples on samples, the best of all
// counted again on every row. The empty slice (the whole fleet) is a candidate like any other.
import { byScore, type Candidate, literalKey, type ScanInput } from './candidate.ts'
import { type Blocks, evaluate } from './evaluate.ts'
import { MANY_ROWS } from './level-inputs.ts'
import { extendSlices, scanPairs } from './pairs.ts'
import { sampleForScan } from './sample.ts'
import { countValues, scanSets, scanSingles, type ValueCounts } from './singles.ts'

export interface ScanResult {
  /** Best first, counted on every row. */
  candidates: Candidate[]
  fleet: Candidate
  values: ValueCounts[]
}

/** How many slices of each size are counted on every row: few where that takes long. */
const EVALUATED = { singles: 32, others: 16, othersOfMany: 8 }

export function scan(input: ScanInput, blocks: Blocks, seed: number, deep = true): ScanResult {
  const totalValues = Math.max(
    2,
    input.dimensions.reduce((sum, dimension) => sum + dimension.values.length, 0),
  )
  const values = countValues(input)
  const singles = scanSingles(input, values, totalValues)
  const found = [...singles, ...scanSets(input, values, totalValues)]
  if (deep && input.dimensions.length > 1) {
    const sample = sampleForScan(input, seed)
    const pairs = scanPairs(input, sample, totalValues)
    pairs.sort(byScore(input.dimensions))
    found.push(...pairs, ...extendSlices(input, sample, pairs, totalValues))
  }
  const order = byScore(input.dimensions)
  const best = new Map<string, Candidate>()
  for (const candidate of preselect(input, found)) best.set(literalKey(candidate.literals), candidate)
  const candidates = [...best.values()].map((candidate) => evaluate(input, blocks, candidate, candidate.literals.length === 1)).sort(order)
  const fleet = evaluate(input, blocks, { ...input.all, literals: [], g: 0, penalty: 0, phi: 1, score: 0 }, true)
  return { candidates, fleet, values }
}

/** The best overall, and the best of each size, so that a flood of pairs does not push out the single they share. */
function preselect(input: ScanInput, found: Candidate[]): Candidate[] {
  const sorted = found.sort(byScore(input.dimensions))
  const others = input.a.rows.length + input.b.rows.length > MANY_ROWS ? EVALUATED.othersOfMany : EVALUATED.others
  const kept: Candidate[] = []
  const perSize = new Map<number, number>()
  for (const candidate of sorted) {
    const size = candidate.literals.length
    const count = perSize.get(size) ?? 0
    if (count >= (size === 1 ? EVALUATED.singles : others)) continue
    perSize.set(size, count + 1)
    kept.push(candidate)
  }
  return kept
}
