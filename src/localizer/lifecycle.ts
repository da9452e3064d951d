// The life of findings over evaluations: the same finding while its phase is equal and its slice overlaps by at least half of the
// rows; closed after three quiet evaluations. A pure function of what was open and what was found, so a restart doubles none.
import type { Finding } from '@longpole/model/finding'

/** Quiet evaluations after which a finding is closed. */
export const QUIET_EVALUATIONS = 3
const MIN_OVERLAP = 0.5

export interface OpenFinding {
  finding: Finding
  /** Evaluations since it was last found. */
  quiet: number
}

export interface LifeStep {
  open: OpenFinding[]
  /** Findings that were opened, updated or closed by this step: what has to be stored. */
  changed: Finding[]
}

/** `overlap` gives the Jaccard index of two findings' rows. `at` is the time of the evaluation, RFC 3339. */
export function advance(
  open: readonly OpenFinding[],
  found: readonly Finding[],
  at: string,
  overlap: (left: Finding, right: Finding) => number,
): LifeStep {
  const left = [...open]
  const next: OpenFinding[] = []
  const changed: Finding[] = []
  for (const finding of found) {
    const index = left.findIndex(({ finding: known }) => isSame(known, finding, overlap))
    const known = index < 0 ? undefined : left.splice(index, 1)[0]
    const current = known === undefined ? { ...finding, opened: at, updated: at } : carryOn(known.finding, finding, at)
    next.push({ finding: current, quiet: 0 })
    changed.push(current)
  }
  for (const { finding, quiet } of left) {
    if (quiet + 1 < QUIET_EVALUATIONS) next.push({ finding, quiet: quiet + 1 })
    else changed.push({ ...finding, updated: at, closed: at })
  }
  return { open: next, changed }
}

function isSame(left: Finding, right: Finding, overlap: (left: Finding, right: Finding) => number): boolean {
  if (left.id === right.id) return true
  if (left.model !== right.model || left.target.column !== right.target.column || left.target.slo !== right.target.slo) return false
  if ((left.phases[0]?.phase ?? null) !== (right.phases[0]?.phase ?? null)) return false
  return overlap(left, right) >= MIN_OVERLAP
}

/** The newest answer under the identity and the first onset of the known one. */
function carryOn(known: Finding, now: Finding, at: string): Finding {
  return { ...now, id: known.id, opened: known.opened, updated: at, closed: null, onset: earlier(known, now) }
}

/** The first estimate was made with the baseline nearest to the onset: kept while the new one lies within a few minutes after it. */
function earlier(known: Finding, now: Finding): Finding['onset'] {
  if (known.onset === null || now.onset === null) return known.onset ?? now.onset
  return Date.parse(known.onset.at) <= Date.parse(now.onset.at) ? known.onset : now.onset
}
