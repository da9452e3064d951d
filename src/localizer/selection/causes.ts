// Step 8b: cause or victim? Where everything outside a slice rose too, the slice is the cause only if its own effect is several times larger:
// the others wait behind it. Unless what rose outside is a second slice with a fault of its own, and beside both of them all is quiet.
import { type Effect, measureEffect } from '../contrast/effect.ts'
import { type Candidate, literalKey, membersOf, type ScanInput } from '../scan/candidate.ts'
import type { Case } from './case.ts'
import { restEffect } from './slice-rows.ts'

/** Less is no effect at all. */
export const MIN_EFFECT = 0.04
/** A regression that matters by itself. */
export const MATERIAL_EFFECT = 0.2
/** What a cause does to itself is at least so much of what all its victims suffer together: less, and it is one of them, hit harder. */
const VICTIMS_SHARE = 0.3
/** A cause must be so many times worse than the rest of the fleet. */
const CAUSE_FACTOR = 2.5
/** Outside, less than this part of the slice's own effect is none. */
const UNTOUCHED = 0.1
/** A slice beside which nothing is left has nothing to stand out from. */
const MIN_ROWS = 12
/** Slices that may be the second fault, at most. */
const OTHERS = 8

export interface Surroundings {
  /** Effect on everything outside, but for a second fault. */
  rest: Effect
  /** Rows outside rose too, by less: victims of the same cause. */
  victims: boolean
}

/** Null where the slice is no cause. `others`: slices that stand out too, the clearest first. */
export function judgeCause(
  given: Case,
  input: ScanInput,
  slice: Candidate,
  effect: Effect,
  others: readonly Candidate[],
): Surroundings | null {
  const rest = restEffect(given, input, slice)
  if (rest.rows.incident < MIN_ROWS) return null
  // By more than what everybody's rose by; shares of bad rows are small numbers by themselves.
  if (given.question.measure.kind === 'quantile' && effect.relative - Math.max(0, rest.relative) < MIN_EFFECT) return null
  if (isUntouched(rest, effect)) return { rest, victims: false }
  const second = besideSecond(given, input, slice, others)
  if (second !== null) return { rest: second, victims: false }
  if (effect.relative * effect.rows.incident < VICTIMS_SHARE * rest.relative * rest.rows.incident) return null
  return exceeds(effect, rest) ? { rest, victims: true } : null
}

function isUntouched(rest: Effect, effect: Effect): boolean {
  return rest.relative < MIN_EFFECT || rest.relative <= UNTOUCHED * effect.relative
}

function exceeds(effect: Effect, rest: Effect): boolean {
  return effect.relative >= CAUSE_FACTOR * rest.relative && effect.absolute >= CAUSE_FACTOR * rest.absolute
}

/** What rose outside two slices, where each of them rose materially on the rows that are not the other's, and nothing else did. */
function besideSecond(given: Case, input: ScanInput, slice: Candidate, others: readonly Candidate[]): Effect | null {
  const first = membership(input, slice)
  const seen = new Set<string>()
  const dimensions = new Set(slice.literals.map(({ dimension }) => dimension))
  for (const other of others) {
    const key = literalKey(other.literals)
    if (seen.has(key) || other.literals.length !== 1 || other.literals.some(({ dimension }) => dimensions.has(dimension))) continue
    if (seen.size >= OTHERS) return null
    seen.add(key)
    const second = membership(input, other)
    const effectOf = (inFirst: number, inSecond: number): Effect => {
      const pick = (rows: Int32Array, one: Uint8Array, two: Uint8Array) =>
        rows.filter((_, at) => one[at] === inFirst && two[at] === inSecond)
      const now = pick(input.a.rows, first.a, second.a)
      return measureEffect(given.question.measure, given.population, given.conditioning, now, pick(input.b.rows, first.b, second.b))
    }
    const [own, theirs, rest] = [effectOf(1, 0), effectOf(0, 1), effectOf(0, 0)]
    if ([own, theirs, rest].some(({ rows }) => Math.min(rows.incident, rows.baseline) < MIN_ROWS)) continue
    if (own.relative >= MATERIAL_EFFECT && theirs.relative >= MATERIAL_EFFECT && isUntouched(rest, own) && isUntouched(rest, theirs))
      return rest
  }
  return null
}

function membership({ a, b, dimensions }: ScanInput, { literals }: Candidate): { a: Uint8Array; b: Uint8Array } {
  return { a: membersOf(a.rows, literals, dimensions), b: membersOf(b.rows, literals, dimensions) }
}
