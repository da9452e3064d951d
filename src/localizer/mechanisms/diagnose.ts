// Step 12b: why. Every mechanism is tried on the slice; the clearest wins, with its evidence, what speaks for the runner-up, and what
// is missing to decide.
import type { Mechanism } from '@longpole/model/finding'
import { MECHANISMS } from '@longpole/model/mechanism'
import { MECHANISM_TESTS } from './index.ts'
import type { Signals } from './signals.ts'

/** Below this nothing is said. */
const MIN_SCORE = 0.3
/** A runner-up so close is named as evidence against. */
const CLOSE = 0.12

export function diagnose(signals: Signals): Mechanism | null {
  const tried = MECHANISM_TESTS.flatMap((mechanism) => {
    const found = mechanism.test(signals)
    return found === null ? [] : [{ id: mechanism.id, ...found }]
  })
  tried.sort((left, right) => right.score - left.score)
  const best = tried[0]
  if (best === undefined || best.score < MIN_SCORE) return null
  const second = tried[1]
  const against = [...best.against]
  const needs = [...best.needs]
  if (second !== undefined && second.score > best.score - CLOSE) {
    const title = MECHANISMS.find(({ id }) => id === second.id)?.title ?? second.id
    against.push(`${title} is nearly as likely: ${second.for[0] ?? 'same phases'}`)
    for (const need of second.needs) if (!needs.includes(need)) needs.push(need)
  }
  return { name: best.id, evidence_for: best.for, evidence_against: against, needs }
}
