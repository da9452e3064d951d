// Step 8a: of slices that all stand out, the one that holds most of the excess and nothing else. Scores depend on the tail level and on
// over-dispersion; what a slice holds does not. Recall: its excess against the most that any slice holds. Precision: its relative rise
// against the largest. Ordered by their harmonic mean, as rankings of RCA benchmarks judge slices.
import { measureEffect } from '../contrast/effect.ts'
import { isMerePart } from '../grouping/alike.ts'
import type { Scanned } from '../grouping/containment.ts'
import { literalKey, type ScanInput } from '../scan/candidate.ts'
import { thin } from '../scan/thin.ts'
import type { Case } from './case.ts'
import { sliceRows } from './slice-rows.ts'

/** Slices that are compared, at most, and rows that each is measured on. */
const COMPARED = 32
const ROWS = 30_000
/** A slice that scores less than this part of the best is no rival. */
const LEAST_SCORE = 0.05
/** The order is changed only for a clearly cleaner slice. */
const CLEARLY = 1.15

/** The same slices, the cleanest first where it is clearly cleaner than the first. */
export function cleanestFirst(given: Case, inputs: readonly ScanInput[], ranked: readonly Scanned[]): Scanned[] {
  const top = ranked[0]
  if (top === undefined) return []
  const rivals = unique(ranked.filter(({ candidate }) => candidate.score >= LEAST_SCORE * top.candidate.score && candidate.fresh !== true))
    .filter((entry) => entry === top || !isMerePart(inputs, entry.candidate, top.candidate))
    .slice(0, COMPARED)
  if (rivals.length < 2 || top.candidate.fresh === true) return [...ranked]
  const input = thin(inputs[0] as ScanInput, ROWS)
  const measured = rivals.map((entry) => {
    const rows = sliceRows(input, entry.candidate, true)
    const { relative, absolute } = measureEffect(given.question.measure, given.population, given.conditioning, rows.incident, rows.baseline)
    return { entry, relative: Math.max(0, relative), excess: Math.max(0, absolute) * rows.incident.length }
  })
  const mostRelative = Math.max(...measured.map(({ relative }) => relative), 1e-12)
  const mostExcess = Math.max(...measured.map(({ excess }) => excess), 1e-12)
  const cleanness = ({ relative, excess }: { relative: number; excess: number }) => {
    const precision = relative / mostRelative
    const recall = excess / mostExcess
    return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0
  }
  const first = measured[0] as (typeof measured)[number]
  let best = first
  for (const other of measured) if (cleanness(other) > cleanness(best) + 1e-9) best = other
  if (best === first || cleanness(best) < CLEARLY * cleanness(first)) return [...ranked]
  return [best.entry, ...ranked.filter((entry) => entry !== best.entry)]
}

function unique(entries: readonly Scanned[]): Scanned[] {
  const seen = new Set<string>()
  return entries.filter(({ candidate }) => {
    const key = literalKey(candidate.literals)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
