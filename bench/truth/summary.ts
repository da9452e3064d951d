// Adds scores up and writes them as a table.
import type { TruthCase } from './case.ts'
import type { Score } from './score.ts'

export interface Total {
  faults: number
  right: number
  top3: number
  silent: number
  wrongConfident: number
  quiet: number
  alarms: number
  shifts: number
  named: number
  phases: [number, number]
  mechanisms: [number, number]
  onsets: number[]
  high: [number, number]
  setF1: number[]
  shareErrors: number[]
  blamed: [number, number]
  guilty: [number, number]
}

export function createTotal(): Total {
  return {
    faults: 0,
    right: 0,
    top3: 0,
    silent: 0,
    wrongConfident: 0,
    quiet: 0,
    alarms: 0,
    shifts: 0,
    named: 0,
    phases: [0, 0],
    mechanisms: [0, 0],
    onsets: [],
    high: [0, 0],
    setF1: [],
    shareErrors: [],
    blamed: [0, 0],
    guilty: [0, 0],
  }
}

/** Faults that did not move their slice are left out of what is demanded. */
export function add(total: Total, given: TruthCase, score: Score): void {
  const { kind, material } = given.truth
  if (kind === 'fault' || kind === 'fleet') {
    if (!material) return
    total.faults++
    if (score.outcome === 'right') total.right++
    if (score.top3) total.top3++
    if (score.outcome === 'silent') total.silent++
    if (score.outcome === 'wrong' && score.confident) total.wrongConfident++
    if (score.confident) total.high[1]++
    if (score.confident && score.outcome === 'right') total.high[0]++
  } else {
    total.quiet++
    if (score.outcome === 'false_alarm') total.alarms++
    if (score.outcome === 'false_alarm' && score.confident) {
      total.wrongConfident++
      total.high[1]++
    }
    if (kind === 'shift') {
      total.shifts++
      if (score.outcome === 'named') total.named++
    }
  }
  count(total.phases, score.phase)
  count(total.mechanisms, score.mechanism)
  count(total.blamed, score.blamed)
  count(total.guilty, score.guilty)
  if (score.setF1 !== null) total.setF1.push(score.setF1)
  total.shareErrors.push(...score.shareErrors)
  if (score.onsetError !== null) total.onsets.push(score.onsetError)
}

function count(of: [number, number], answer: boolean | null): void {
  if (answer === null) return
  of[1]++
  if (answer) of[0]++
}

const of = (count: number, all: number) => (all === 0 ? '–' : `${count}/${all} (${(count / all).toFixed(2)})`)

/** What only some suites have: several faults, paired counterfactuals, change events. */
export function moreRow(name: string, total: Total): string {
  const mean = (values: readonly number[]) =>
    values.length === 0 ? '–' : `${(values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2)} of ${values.length}`
  return `| ${[name, mean(total.setF1), mean(total.shareErrors), of(...total.blamed), of(...total.guilty)].join(' | ')} |`
}

export const MORE_HEADER = [
  '| | set F1 | share explained: mean absolute error | innocent change named | right change first |',
  '|---|---|---|---|---|',
].join('\n')

export function row(name: string, total: Total): string {
  const onsets = [...total.onsets].sort((left, right) => left - right)
  const at = (q: number) =>
    onsets.length === 0 ? '–' : `${(onsets[Math.min(onsets.length - 1, Math.floor(q * onsets.length))] as number).toFixed(0)} s`
  const cells = [
    name,
    of(total.right, total.faults),
    of(total.top3, total.faults),
    String(total.silent),
    String(total.wrongConfident),
    of(total.alarms, total.quiet),
    of(total.named, total.shifts),
    of(...total.phases),
    of(...total.mechanisms),
    `${at(0.5)} / ${at(0.9)}`,
    of(...total.high),
  ]
  return `| ${cells.join(' | ')} |`
}

export const HEADER = [
  '| | slice top-1 | top-3 | silent | wrong and high | alarms on shifts and quiet | shift named | phase | mechanism | onset median / 90 % | "high" right |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
].join('\n')
