// Step 13: which change fits? By overlap of its scope with the slice and by difference in differences inside and outside its scope,
// with the onset inside the lag that its kind of change can have. Never by recency alone.
import type { ChangeEvent, ChangeKind } from '@longpole/model/change-event'
import type { ChangeMatch } from '@longpole/model/finding'
import { measureEffect } from '../contrast/effect.ts'
import type { Onset } from '../onset/onset.ts'
import type { Case } from '../selection/case.ts'

/** Seconds until a change of this kind can still begin to show. */
const LAG: Record<ChangeKind, number> = { deploy: 900, config: 600, scale: 600, route: 300, model: 900, restart: 600, note: 600 }
/** An onset is not known better than this. */
const SLACK = 45
const MIN_OVERLAP = 0.5

export function matchChanges(given: Case, sliceIncident: ReadonlySet<number>, onset: Onset | null): ChangeMatch[] {
  const matches: ChangeMatch[] = []
  for (const event of given.question.events) {
    const at = Number(event.unix_ns / 1_000_000n) / 1000
    if (onset !== null && (onset.high < at - SLACK || onset.low > at + LAG[event.kind] + SLACK)) continue
    if (onset === null && (at > given.question.incident.to || at < given.question.incident.from - LAG[event.kind])) continue
    const inside = scopeTest(given, event)
    if (inside === null) continue
    const overlap = overlapOf(given, inside, sliceIncident)
    if (overlap < MIN_OVERLAP) continue
    // A change of everything has nobody to be held against: it says nothing of a part.
    if (sliceIncident.size < given.population.incident.length && !hasControl(given, inside)) continue
    const difference = differenceInDifferences(given, inside)
    if (!(difference > 0)) continue
    matches.push({
      event: { id: event.id, kind: event.kind, title: event.title, at: new Date(at * 1000).toISOString() },
      overlap,
      difference,
    })
  }
  return matches.sort(
    (left, right) => right.overlap - left.overlap || right.difference - left.difference || (left.event.id < right.event.id ? -1 : 1),
  )
}

/** Tells whether a row is inside the event's scope; null where the table lacks one of its dimensions. */
function scopeTest(given: Case, event: ChangeEvent): ((row: number) => boolean) | null {
  const tests: ((row: number) => boolean)[] = []
  for (const [name, values] of Object.entries(event.scope)) {
    const dimension = given.table.dimensions.get(name)
    if (dimension === undefined) return null
    const wanted = new Set(values)
    const flags = dimension.values.map((value) => wanted.has(value))
    tests.push((row) => flags[dimension.ids[row] as number] === true)
  }
  return (row) => tests.every((test) => test(row))
}

function overlapOf(given: Case, inside: (row: number) => boolean, slice: ReadonlySet<number>): number {
  let both = 0
  let either = 0
  for (const row of given.population.incident) {
    const inScope = inside(row)
    const inSlice = slice.has(row)
    if (inScope && inSlice) both++
    if (inScope || inSlice) either++
  }
  return either === 0 ? 0 : both / either
}

const MIN_CONTROL = 10

function hasControl({ population }: Case, inside: (row: number) => boolean): boolean {
  return [population.incident, population.baseline].every(
    (rows) => rows.reduce((count, row) => count + (inside(row) ? 0 : 1), 0) >= MIN_CONTROL,
  )
}

/** Change of the target inside the scope minus the change outside, in the target's unit. */
function differenceInDifferences(given: Case, inside: (row: number) => boolean): number {
  const { population, conditioning, question } = given
  const split = (rows: Int32Array, wanted: boolean) => rows.filter((row) => inside(row) === wanted)
  const effect = (wanted: boolean) =>
    measureEffect(question.measure, population, conditioning, split(population.incident, wanted), split(population.baseline, wanted))
      .absolute
  return effect(true) - effect(false)
}
