// Step 8: from scores to answers. Takes the best slice that survives the checks, explains it away, looks again. Where the whole fleet
// rose, a slice is the cause only if its own effect is several times larger than the rest's inside the incident; the rest are victims.

import { nullMaximum, rareScore } from '../confidence/null-maximum.ts'
import { type ConfounderCheck, checkConfounders } from '../confounders/confounders.ts'
import type { Effect } from '../contrast/effect.ts'
import { groupAliases } from '../grouping/aliases.ts'
import { narrowest, type Scanned } from '../grouping/containment.ts'
import { widest } from '../grouping/widening.ts'
import { byScore, type Candidate, type Literal, membersOf, type ScanInput } from '../scan/candidate.ts'
import { type Blocks, countBlocks, evaluate, noteBurstiness, spanOf, timeBlocks } from '../scan/evaluate.ts'
import { explainAway } from '../scan/inputs.ts'
import { promisingLevels } from '../scan/level-inputs.ts'
import { scan } from '../scan/scan.ts'
import { contrast, logLikelihoodRatio } from '../scan/statistic.ts'
import type { Case } from './case.ts'
import { judgeCause, MATERIAL_EFFECT, MIN_EFFECT } from './causes.ts'
import { cleanestFirst } from './cleanest.ts'
import { overlapsEarlier, unexplained } from './earlier.ts'
import { fleetEffect, restEffect, sliceEffect, sliceRisk } from './slice-rows.ts'

export interface Pick {
  /** What was scanned where it stood out: one tail level of the target or of one phase. */
  input: ScanInput
  candidate: Candidate
  aliases: Candidate[]
  /** Next best slices that are no aliases, for the record. */
  rivals: Candidate[]
  check: ConfounderCheck
  contrastScore: number
  effect: Effect
  /** Effect on everything outside the slice. */
  rest: Effect
  /** Rows outside rose too, by less: victims of the same cause. */
  victims: boolean
  /** Score that slices reach without any incident. */
  threshold: number
  /** It stood out in a phase only, not in the target. */
  inPhaseOnly?: boolean
}

export interface Selection {
  picks: Pick[]
  /** The whole fleet's rise at its best level. */
  fleet: { level: number; candidate: Candidate; effect: Effect }
  /** The fleet rose, and no slice stands out. */
  fleetWide: boolean
  /** Best slice that was rejected as a change of mix, and the dimension that explains it. */
  mixShift: { candidate: Candidate; level: number; by: string } | null
  /** Best slices, whether or not they passed. */
  suspects: { candidate: Candidate; level: number }[]
}

export const MIN_SCORE = 5
const MAX_PICKS = 3
const CHECKED = 16
const NEARLY = 0.8
export function selectPicks(given: Case, original: ScanInput[]): Selection {
  const seconds = given.population.windows.incident.to - given.population.windows.incident.from
  const rows = original[0]?.b.rows ?? new Int32Array(0)
  const { from, to } = given.memory.once('span', () => spanOf(given.table.time, rows))
  const blocks = given.memory.once(`${countBlocks(to - from, seconds)} blocks`, () => timeBlocks(given.table.time, rows, seconds))
  if (given.question.measure.kind === 'quantile') noteBurstiness(original, blocks)
  // Explaining away changes the expectations; the answers are built from the original ones.
  const inputs: ScanInput[] = original.map((input) => ({ ...input, a: { ...input.a, expected: input.a.expected.slice() } }))
  const selection: Selection = {
    picks: [],
    fleet: { level: 0, candidate: emptyCandidate(), effect: { relative: 0, absolute: 0, rows: { incident: 0, baseline: 0 } } },
    fleetWide: false,
    mixShift: null,
    suspects: [],
  }
  const promising = promisingLevels(inputs)
  let thresholds: Thresholds = { slice: MIN_SCORE, fleet: MIN_SCORE }
  for (let round = 0; round < MAX_PICKS; round++) {
    const deep = round === 0 || given.population.incident.length < 5_000
    const { slices, fleet } = scanLevels(given, inputs, blocks, promising, deep)
    if (round === 0) thresholds = quietThresholds(given, original, slices, fleet, seconds)
    if (round === 0) {
      selection.fleet = { ...fleet, effect: fleetEffect(given) }
      selection.suspects = slices.slice(0, 8)
    }
    const fresh = round === 0 ? slices : slices.filter((entry) => !overlapsEarlier(inputs, entry, selection.picks))
    const judged = unexplained(inputs, selection.picks)
    const pick = choose(given, inputs, judged, fresh, fleet, blocks, thresholds, selection)
    if (pick === null) {
      if (round === 0) selection.fleetWide = fleet.candidate.score >= thresholds.fleet && selection.fleet.effect.relative >= MIN_EFFECT
      break
    }
    // A second answer is a material regression of its own, among the rows that the first does not explain.
    if (round > 0 && pick.effect.relative < MATERIAL_EFFECT) break
    selection.picks.push({ ...pick, input: original[inputs.indexOf(pick.input)] as ScanInput })
    for (const input of inputs) {
      const members = membersOf(input.a.rows, pick.candidate.literals, input.dimensions)
      explainAway(input, members, sliceRisk(input, pick.candidate))
    }
  }
  return selection
}

interface Thresholds {
  slice: number
  fleet: number
}

/** What slices and the fleet reach in quiet stretches of the baseline, at the levels where the incident stands out. */
function quietThresholds(given: Case, inputs: ScanInput[], slices: Scanned[], fleet: Scanned, seconds: number): Thresholds {
  const best = slices[0]
  if (given.question.without?.has('null_maximum')) return { slice: MIN_SCORE, fleet: MIN_SCORE }
  if ((best?.candidate.score ?? 0) < MIN_SCORE && fleet.candidate.score < MIN_SCORE) return { slice: MIN_SCORE, fleet: MIN_SCORE }
  const quiet = [...new Set([best?.level ?? 0, fleet.level])].map((level) =>
    nullMaximum(inputs[level] as ScanInput, given.table.time, seconds),
  )
  return {
    slice: Math.max(...quiet.map((level) => rareScore(level.slices, MIN_SCORE))),
    fleet: Math.max(...quiet.map((level) => rareScore(level.fleet, MIN_SCORE))),
  }
}

function scanLevels(
  given: Case,
  inputs: ScanInput[],
  blocks: Blocks,
  promising: ReadonlySet<number>,
  deep: boolean,
): { slices: Scanned[]; fleet: Scanned } {
  const slices: Scanned[] = []
  let fleet: Scanned | null = null as Scanned | null
  for (let level = 0; level < inputs.length; level++) {
    const result = scan(inputs[level] as ScanInput, blocks, given.question.seed, deep && promising.has(level))
    for (const candidate of result.candidates) slices.push({ level, candidate })
    if (fleet !== null && isBody(given, inputs[level] as ScanInput)) continue
    if (fleet === null || isBody(given, inputs[fleet.level] as ScanInput) || result.fleet.score > fleet.candidate.score)
      fleet = { level, candidate: result.fleet }
  }
  const order = byScore(given.dimensions)
  slices.sort((left, right) => order(left.candidate, right.candidate))
  return { slices, fleet: fleet as Scanned }
}

/**
 * A level that half of the rows exceed anyway. Slices are held against the rest of the fleet there; the whole fleet has nothing to be held
 * against, and how long an ordinary request takes drifts with the time of day: everybody is worse only where the tail is.
 */
const BODY_RATE = 0.4

function isBody({ question }: Case, { rate }: ScanInput): boolean {
  return question.measure.kind === 'quantile' && rate > BODY_RATE
}

/** `judged`: the rows that effects are measured on. */
function choose(
  given: Case,
  inputs: ScanInput[],
  judged: readonly ScanInput[],
  slices: Scanned[],
  fleet: Scanned,
  blocks: Blocks,
  thresholds: Thresholds,
  selection: Selection,
): Pick | null {
  const eligible = slices.filter((entry) => entry.candidate.score >= thresholds.slice).slice(0, CHECKED * 2)
  const elevated =
    !given.question.without?.has('contrast') && (eligible.length === 0 || restRose(given, inputs, eligible[0] as Scanned, fleet))
  const ranked = elevated ? byContrast(inputs, blocks, slices, thresholds.slice) : eligible
  const simple = simplestFirst(ranked)
  const ordered = given.question.without?.has('narrowing') ? simple : cleanestFirst(given, inputs, simple)
  for (const entry of ordered.slice(0, CHECKED)) {
    const input = inputs[entry.level] as ScanInput
    // Judged against the rest of the fleet, it is the scatter against the rest that counts.
    const phi = elevated ? (entry.candidate.contrastPhi ?? entry.candidate.phi) : entry.candidate.phi
    const check = checkConfounders(input, { ...entry.candidate, phi })
    if (check.explainedBy !== null && !given.question.without?.has('confounders')) {
      selection.mixShift ??= { ...entry, by: check.explainedBy }
      continue
    }
    const pick = examine(given, inputs, judged, entry, slices, blocks, check)
    if (pick !== null) return { ...pick, threshold: thresholds.slice }
  }
  return null
}

/** A long list of values is taken only where no single value is nearly as good. */
function simplestFirst(ranked: Scanned[]): Scanned[] {
  const best = ranked[0]
  if (best === undefined || best.candidate.literals.every((literal) => literal.values.length <= 2)) return ranked
  const simple = ranked.find(({ candidate }) => candidate.literals.length === 1 && candidate.literals[0]?.values.length === 1)
  if (simple === undefined || simple.candidate.score < NEARLY * best.candidate.score) return ranked
  return [simple, ...ranked.filter((entry) => entry !== simple)]
}

/** Did the rest of the fleet rise as well? */
function restRose(given: Case, inputs: ScanInput[], best: Scanned, fleet: Scanned): boolean {
  const input = inputs[best.level] as ScanInput
  const { all } = input
  const slice = best.candidate
  const rest = logLikelihoodRatio(all.cA - slice.cA, all.xA - slice.xA, all.cB - slice.cB, all.xB - slice.xB)
  if (rest / Math.max(fleet.candidate.phi, 1) < MIN_SCORE) return false
  return restEffect(given, input, slice).relative >= MIN_EFFECT
}

function byContrast(inputs: ScanInput[], blocks: Blocks, slices: Scanned[], threshold: number): Scanned[] {
  return slices
    .filter((entry) => entry.candidate.score >= 0)
    .map((entry) => ({ entry, score: contrastOf(inputs, blocks, entry.candidate.literals) - entry.candidate.penalty }))
    .filter(({ score }) => score >= threshold)
    .sort((left, right) => right.score - left.score)
    .map(({ entry }) => entry)
}

/** The clearest of all levels: far out in the tail the rest of the fleet may have too few events to compare with. */
function contrastOf(inputs: readonly ScanInput[], blocks: Blocks, literals: Literal[]): number {
  const scores = inputs.map((input) => {
    const counted = evaluate(input, blocks, { ...emptyCandidate(), literals })
    return contrast(counted, input.all, input.rate, (counted.contrastPhi ?? counted.phi) / (1 - input.rate))
  })
  return Math.max(...scores)
}

/** All checks on one slice but the confounders; null where it fails one. */
function examine(
  given: Case,
  inputs: readonly ScanInput[],
  judged: readonly ScanInput[],
  entry: Scanned,
  slices: Scanned[],
  blocks: Blocks,
  check: ConfounderCheck,
): Pick | null {
  const strong = slices.filter((other) => other.candidate.score >= MIN_SCORE)
  const narrow = given.question.without?.has('narrowing') ? entry : narrowest(given, inputs, entry, strong)
  const input = inputs[narrow.level] as ScanInput
  const sameLevel = slices.filter((other) => other.level === narrow.level).map((other) => other.candidate)
  const recount = (literals: Literal[], penalty: number) => evaluate(input, blocks, { ...emptyCandidate(), literals, penalty })
  const wide = widest(given, inputs, input, narrow.candidate, sameLevel, recount)
  const own = judged[narrow.level] as ScanInput
  const { best, aliases } = groupAliases(own, wide, sameLevel)
  const effect = sliceEffect(given, own, best)
  const contrastScore = contrastOf(inputs, blocks, best.literals)
  if (contrastScore < Math.max(4, best.penalty)) return null
  const surroundings = judgeCause(
    given,
    own,
    best,
    effect,
    strong.map(({ candidate }) => candidate),
  )
  if (surroundings === null) return null
  const names = new Set([best, ...aliases])
  const rivals = sameLevel.filter((other) => !names.has(other)).slice(0, 3)
  return { input, candidate: best, aliases, rivals, check, contrastScore, effect, ...surroundings, threshold: MIN_SCORE }
}

function emptyCandidate(): Candidate {
  return { literals: [], cA: 0, xA: 0, cB: 0, xB: 0, g: 0, penalty: 0, phi: 1, score: 0 }
}
