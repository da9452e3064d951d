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
  if (score.phase !== null) {
    total.phases[1]++
    if (score.phase) total.phases[0]++
  }
  if (score.mechanism !== null) {
    total.mechanisms[1]++
    if (score.mechanism) total.mechanisms[0]++
  }
  if (score.onsetError !== null) total.onsets.push(score.onsetError)
}

export function row(name: string, total: Total): string {
  const of = (count: number, all: number) => (all === 0 ? '–' : `${count}/${all} (${(count / all).toFixed(2)})`)
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
