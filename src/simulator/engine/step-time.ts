// Seconds of the next steps of an engine. A group of ranks steps at the pace of its slowest rank; noise is a function of the engine and
// the clock, so that two runs of one seed meet the same noise at the same time.
import { normal } from '../core/random.ts'
import type { Engine } from './engine.ts'
import type { Rank } from './rank.ts'
import { chunkSeconds, decodeSeconds } from './timing.ts'

/** Standard deviation of the logarithm of one step's time. */
const STEP_SIGMA = 0.035
/** Seconds over which the noise of an engine keeps its value. */
const NOISE_SECONDS = 0.25

/** Seconds of the first of the next steps (`ahead` 0) or of a later one, when nothing joins or leaves. */
function stepSeconds(engine: Engine, ahead: number): number {
  let slowest = 0
  for (const rank of engine.ranks) {
    const seconds = rankSeconds(engine, rank, ahead)
    if (seconds > slowest) slowest = seconds
  }
  return slowest
}

function rankSeconds(engine: Engine, rank: Rank, ahead: number): number {
  const { timing } = engine.spec
  const sequences = rank.running.length
  let seconds = 0
  if (sequences > 0) {
    // Drafted tokens are verified in the same step: each costs as much as a sequence, but for its context.
    const tokens = sequences * (1 + (engine.spec.speculation?.drafts ?? 0))
    seconds = decodeSeconds(timing.decode, tokens, rank.contextTokens + rank.growth * ahead) * rank.decodeScale.value
    if (sequences > engine.graphLimit) seconds *= engine.offGraphScale.value
  }
  let chunks = 0
  for (const request of rank.prefilling) {
    if (request.chunk > 0) chunks += chunkSeconds(timing.prefill, request.chunk, request.computedTokens)
  }
  if (chunks > 0) {
    chunks += sequences === 0 ? timing.prefill.base : (timing.prefill.perChunk ?? 0)
    seconds += chunks * rank.prefillScale.value
  }
  return seconds
}

function noise(engine: Engine, now: number): number {
  const age = now - engine.startedAt
  const cold = now < engine.coldUntil ? 1 + 1.5 * ((engine.coldUntil - now) / Math.max(1e-9, age + engine.coldUntil - now)) : 1
  return cold * engine.spec.silicon * Math.exp(STEP_SIGMA * normal(engine.seed, Math.floor(now / NOISE_SECONDS)))
}

/** Seconds of `steps` steps from `now`: the step grows linearly with the context, so the sum is the mean of first and last. */
export function leapSeconds(engine: Engine, now: number, steps: number): number {
  const first = stepSeconds(engine, 0)
  const last = steps > 1 ? stepSeconds(engine, steps - 1) : first
  const seconds = ((first + last) / 2) * steps * noise(engine, now)
  return seconds + stalls(engine, now, seconds)
}

/** Number of the step of a leap that is running `elapsed` seconds after its start, from 1. */
export function stepsWithin(engine: Engine, startedAt: number, steps: number, elapsed: number): number {
  const factor = noise(engine, startedAt)
  const first = stepSeconds(engine, 0) * factor
  const last = stepSeconds(engine, steps - 1) * factor
  const slope = (last - first) / Math.max(1, steps - 1)
  // first·j + slope·j(j−1)/2 = elapsed
  const a = slope / 2
  const b = first - a
  const estimate = a < 1e-12 ? elapsed / first : (Math.sqrt(b * b + 4 * a * elapsed) - b) / (2 * a)
  return Math.max(1, Math.min(steps, Math.ceil(estimate)))
}

/** A stopped host process adds its pause to the step that meets it. */
function stalls(engine: Engine, now: number, seconds: number): number {
  const pause = engine.hostStall.value
  if (pause === 0) return 0
  const period = engine.hostStallPeriod
  return pause * (Math.floor((now + seconds) / period) - Math.floor(now / period))
}
