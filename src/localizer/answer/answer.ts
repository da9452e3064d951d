// Step 14: verdicts. Turns the selection into findings: a slice at fault, the whole fleet, a moved workload, a regression that cannot
// be placed, or nothing.
import type { Finding } from '@longpole/model/finding'
import { confidenceOf, probabilityOf } from '../confidence/confidence.ts'
import { cacheHitDrop } from '../mechanisms/cache-hit-drop/mechanism.ts'
import { diagnose } from '../mechanisms/diagnose.ts'
import { Signals } from '../mechanisms/signals.ts'
import { explainPhases, type PhaseAnswer } from '../phases/phases.ts'
import { type Candidate, type ScanInput, toSlice } from '../scan/candidate.ts'
import type { Case } from '../selection/case.ts'
import { MIN_SCORE, type Pick, type Selection } from '../selection/select.ts'
import { restEffect, sliceEffect, sliceRows } from '../selection/slice-rows.ts'
import { type Healing, healEverything, sharesExplained } from '../share/share.ts'
import { findCacheLoss } from '../workload/cache-loss.ts'
import { checkLoad, type LoadCheck } from '../workload/load.ts'
import { findMoves, type Move } from '../workload/moves.ts'
import { blankFinding } from './finding.ts'
import { healSlice, localizedFinding, rowsOnset } from './localized.ts'
import { describeMove, nextCheck } from './wording.ts'

/** Probability that nothing is wrong, and the same where some slice scored more than nothing or everybody is a little slower. */
const SURE_QUIET = 0.95
const UNSURE_QUIET = 0.75
const DOUBTFUL_SCORE = 2
const MOST = 0.5
const PARTIAL_PROBABILITY = 0.85
/** Nats by which the workload moved. */
const STRONG_MOVE = 10
const DOUBTFUL_RISE = 0.04
/** Of a quantile: as clear as a slice must be. */
const MIN_DEVIATIONS = Math.sqrt(2 * MIN_SCORE)

export function answer(given: Case, inputs: ScanInput[], selection: Selection): Finding[] {
  const moves = findMoves(given)
  const healing = healEverything(given)
  const findings: Finding[] = []
  const named: Pick[] = []
  for (const pick of selection.picks) {
    const finding = pickFinding(given, pick, healing, moves)
    if (finding.verdict === 'workload_shift' && findings.length > 0) continue
    findings.push(finding)
    named.push(pick)
    if (finding.verdict === 'workload_shift') break
  }
  if (findings.length > 1) divideShares(given, healing, findings, named)
  capPartialAnswers(findings)
  if (findings.every(({ verdict, confidence }) => verdict === 'localized' && confidence === 'low')) {
    const moved = findings.length > 0 ? strongMoves(given, moves) : []
    if (moved.length > 0) return [shiftFinding(given, moved, null, 0)]
  }
  if (findings.length > 0)
    return selection.fleetWide ? besideFleet(findings, fleetFinding(given, inputs, selection, moves, healing)) : findings
  const lost = cacheFinding(given, inputs, selection, healing, moves)
  if (lost !== null) return [lost]
  if (selection.fleetWide) return [fleetFinding(given, inputs, selection, moves, healing)]
  return [quietFinding(given, inputs, selection, moves, healing)]
}

/** Several slices divide what one alone would be given whole. */
function divideShares(given: Case, healing: Healing, findings: Finding[], picks: readonly Pick[]): void {
  const healed = picks.map(({ input, candidate }) => healSlice(given, input, candidate, sliceRows(input, candidate, true)))
  sharesExplained(given, healing, healed).forEach((share, index) => {
    ;(findings[index] as Finding).share_explained = share
  })
}

/** What leaves most of the rise unexplained is not the whole answer, and is not called high. */
function capPartialAnswers(findings: readonly Finding[]): void {
  const localized = findings.filter(({ verdict }) => verdict === 'localized')
  const shares = localized.flatMap(({ share_explained }) => (share_explained === null ? [] : [share_explained.high]))
  if (shares.length < localized.length || shares.reduce((sum, share) => sum + share, 0) >= MOST) return
  for (const finding of localized) {
    finding.probability = Math.min(finding.probability, PARTIAL_PROBABILITY)
    finding.confidence = confidenceOf(finding.probability)
  }
}

/** Where everybody waits behind more work, those who wait most are no fault. */
function besideFleet(findings: Finding[], fleet: Finding): Finding[] {
  return fleet.verdict === 'workload_shift' ? [fleet] : [...findings, fleet]
}

function pickFinding(given: Case, pick: Pick, healing: Healing, moves: Move[]): Finding {
  const { input } = pick
  const rows = sliceRows(input, pick.candidate, true)
  const baseline = pick.candidate.fresh === true ? input.b.rows : rows.baseline
  const phases = explainPhases(given, rows.incident, baseline)
  const load = checkLoad(given, rows, sliceRows(input, pick.candidate, false), phases.excess, moves)
  if (load.driven) return shiftFinding(given, moves, load, pick.effect.relative)
  const finding = localizedFinding(given, input, pick, rows, phases, healing)
  if (load.growth !== null) finding.looked_at.push(`more ${load.growth.quantity} arrive, but ${load.reasons.join('; ')}`)
  finding.workload = moves.slice(0, 3).map(describeMove)
  finding.mechanism = diagnose(new Signals(given, finding.slice, rows, sliceRows(input, pick.candidate, false), phases, moves))
  finding.next_check = nextCheck(finding)
  return finding
}

/** Sure enough to be shown, not to be called high: the slice is named by its tokens, the target only says that everybody waits. */
const CACHE_PROBABILITY = 0.85
/** Its own prompts take so much longer to compute. */
const MIN_MORE_PREFILL = 0.25

/** Everybody is slower, no slice stands out, and one stopped hitting the cache: it is the cause, the others wait behind it. */
function cacheFinding(given: Case, inputs: ScanInput[], selection: Selection, healing: Healing, moves: Move[]): Finding | null {
  if (!selection.fleetWide && !isRaised(given, healing)) return null
  const loss = findCacheLoss(given)
  if (loss === null) return null
  const input = inputs[selection.fleet.level] as ScanInput
  const pick = pickOf(given, input, { ...selection.fleet.candidate, literals: [{ dimension: loss.dimension, values: [loss.value] }] })
  const rows = sliceRows(input, pick.candidate, true)
  const phases = explainPhases(given, rows.incident, rows.baseline)
  const finding = localizedFinding(given, input, pick, rows, phases, healing)
  const signals = new Signals(given, finding.slice, rows, sliceRows(input, pick.candidate, false), phases, moves)
  const evidence = cacheHitDrop.test(signals)
  if (evidence === null || (signals.hasPhases && !computesMore(signals))) return null
  finding.mechanism = { name: cacheHitDrop.id, evidence_for: evidence.for, evidence_against: evidence.against, needs: evidence.needs }
  finding.probability = CACHE_PROBABILITY
  finding.confidence = confidenceOf(CACHE_PROBABILITY)
  finding.workload = moves.slice(0, 3).map(describeMove)
  return finding
}

function computesMore(signals: Signals): boolean {
  const { excess, expected } = signals.excess('prefill')
  return excess > MIN_MORE_PREFILL * expected
}

function pickOf(given: Case, input: ScanInput, candidate: Candidate): Pick {
  return {
    input,
    candidate,
    aliases: [],
    rivals: [],
    check: { score: Number.POSITIVE_INFINITY, ratio: 1, explainedBy: null },
    contrastScore: candidate.score,
    effect: sliceEffect(given, input, candidate),
    rest: restEffect(given, input, candidate),
    victims: true,
    threshold: MIN_SCORE,
  }
}

function fleetFinding(given: Case, inputs: ScanInput[], selection: Selection, moves: Move[], healing: Healing): Finding {
  const input = inputs[selection.fleet.level] as ScanInput
  const { incident, baseline } = { incident: input.a.rows, baseline: input.b.rows }
  const phases = explainPhases(given, incident, baseline)
  const load = checkLoad(given, { incident, baseline }, null, phases.excess, moves)
  if (load.driven) return shiftFinding(given, moves, load, selection.fleet.effect.relative)
  return wholeFleet(given, input, selection, phases, load, moves, healing)
}

function wholeFleet(
  given: Case,
  input: ScanInput,
  selection: Selection,
  phases: PhaseAnswer,
  load: LoadCheck,
  moves: Move[],
  healing: Healing,
): Finding {
  const pick: Pick = {
    input,
    candidate: selection.fleet.candidate,
    aliases: [],
    rivals: [],
    check: { score: Number.POSITIVE_INFINITY, ratio: 1, explainedBy: null },
    contrastScore: selection.fleet.candidate.score,
    effect: selection.fleet.effect,
    rest: { relative: 0, absolute: 0, rows: { incident: 0, baseline: 0 } },
    victims: false,
    threshold: MIN_SCORE,
  }
  const rows = { incident: input.a.rows, baseline: input.b.rows }
  const finding = localizedFinding(given, input, pick, rows, phases, healing)
  finding.verdict = 'fleet_wide'
  finding.share_explained = { value: 1, low: 1, high: 1 }
  const nobody = { incident: new Int32Array(0), baseline: new Int32Array(0) }
  finding.mechanism = diagnose(new Signals(given, {}, rows, nobody, phases, moves))
  finding.next_check = nextCheck(finding)
  finding.workload = moves.slice(0, 3).map(describeMove)
  finding.not_seen.push(...load.reasons.map((reason) => `not the workload: ${reason}`))
  return finding
}

function shiftFinding(given: Case, moves: Move[], load: LoadCheck | null, effect: number): Finding {
  const lead = load?.mover ?? moves.find((move) => move.dimension !== null) ?? moves[0]
  const slice = lead?.dimension != null && lead.value !== null ? { [lead.dimension]: [lead.value] } : {}
  const finding = blankFinding(given, 'workload_shift', slice, null)
  finding.workload = (load?.mover == null ? moves : [load.mover, ...moves.filter((move) => move !== load.mover)]).map(describeMove)
  if (load?.growth != null) {
    const { quantity, before, now } = load.growth
    const unit = quantity === 'requests' ? 'requests/s' : `${quantity}/s`
    finding.workload.push({
      dimension: `${quantity}/s`,
      from: before,
      to: now,
      description: `${unit} ${before.toPrecision(3)} → ${now.toPrecision(3)}`,
    })
  }
  finding.probability = probabilityOf(Math.log1p(Math.max(0, (moves[0]?.divergence ?? 0) * given.population.incident.length)))
  finding.confidence = confidenceOf(finding.probability)
  finding.mechanism = {
    name: 'longer_work',
    evidence_for: finding.workload.slice(0, 3).map((move) => move.description),
    evidence_against: [],
    needs: [],
  }
  if (effect > 0.04) finding.looked_at.push(`everybody is ${Math.round(effect * 100)} % slower at equal lengths: queues behind more work`)
  finding.next_check = nextCheck(finding)
  return finding
}

/** A workload that moved without doubt is the answer before any slice that is doubtful. */
function strongMoves(given: Case, moves: readonly Move[]): Move[] {
  return moves.filter((move) => move.divergence * given.population.incident.length >= STRONG_MOVE)
}

/** No slice and no fleet-wide rise: a moved workload, a regression that cannot be placed, or nothing. */
function quietFinding(given: Case, inputs: ScanInput[], selection: Selection, moves: Move[], healing: Healing): Finding {
  const strong = strongMoves(given, moves)
  const worse = isWorse(given, healing, selection.fleet.candidate.phi)
  if (strong.length > 0) return shiftFinding(given, strong, null, 0)
  if (!worse) {
    const finding = blankFinding(given, 'no_regression', {}, null)
    const doubtful = (selection.suspects[0]?.candidate.score ?? 0) > DOUBTFUL_SCORE || selection.fleet.effect.relative > DOUBTFUL_RISE
    finding.probability = doubtful ? UNSURE_QUIET : SURE_QUIET
    finding.confidence = confidenceOf(finding.probability)
    finding.next_check = nextCheck(finding)
    return finding
  }
  const finding = blankFinding(given, 'not_localized', {}, null)
  const input = inputs[selection.fleet.level] as ScanInput
  finding.onset = rowsOnset(given, input, null).text
  finding.probability = 0.5
  finding.confidence = 'low'
  finding.aliases = selection.suspects.slice(0, 3).map((suspect) => toSlice(suspect.candidate.literals, input.dimensions))
  if (selection.mixShift !== null) finding.looked_at.push(`the best slice is explained by ${selection.mixShift.by}`)
  finding.next_check = nextCheck(finding)
  return finding
}

/** Is the target itself materially worse than in the baseline, at equal workload? */
function isRaised(given: Case, { now, mix, rows }: Healing): boolean {
  if (!Number.isFinite(now) || !Number.isFinite(mix)) return Number.isFinite(mix) && !Number.isFinite(now)
  const { measure } = given.question
  if (measure.kind !== 'deadline' && measure.kind !== 'ratio') return now > 1.15 * mix
  const n = rows.length
  const deviation = Math.sqrt((Math.max(mix, 1 / n) * (1 - Math.min(mix, 1 - 1 / n))) / n)
  return now - mix > 4 * deviation && now - mix > 0.005
}

/**
 * …and significantly: a quantile is where more rows lie above what it would be than chance and the fleet's own burstiness (`phi`) bring
 * there. Of 200 rows ten are above the 95th percentile, and half as high again is within its error.
 */
function isWorse(given: Case, healing: Healing, phi: number): boolean {
  if (!isRaised(given, healing)) return false
  const { measure } = given.question
  if (measure.kind !== 'quantile' || !Number.isFinite(healing.now)) return true
  const expected = (1 - measure.quantile) * healing.rows.length
  const above = healing.value.reduce((count, value) => count + (value > healing.mix ? 1 : 0), 0)
  return above - expected > MIN_DEVIATIONS * Math.sqrt(Math.max(1, phi) * expected * measure.quantile)
}
