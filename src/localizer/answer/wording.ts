// Sentences for people: what moved, and what to look at next.
import type { Finding } from '@longpole/model/finding'
import { formatSlice } from '@longpole/model/finding'
import type { Move } from '../workload/moves.ts'

export function describeMove(move: Move): Finding['workload'][number] {
  const who = move.dimension === null ? 'all requests' : `${move.dimension}=${move.value}`
  const dimension = move.dimension ?? move.quantity
  if (move.quantity === 'requests') {
    return { dimension, from: move.from, to: move.to, description: `${who}: ${percent(move.from)} → ${percent(move.to)} of the requests` }
  }
  const quantity = move.quantity.replaceAll('_', ' ')
  return { dimension, from: move.from, to: move.to, description: `${who}: mean ${quantity} ${round(move.from)} → ${round(move.to)}` }
}

export function nextCheck(finding: Finding): string {
  const slice = formatSlice(finding.slice)
  if (finding.verdict === 'no_regression') return 'Nothing to do; widen the incident window if users still complain.'
  if (finding.verdict === 'not_localized')
    return 'Look at single slow requests of the incident; add dimensions or phases that the table lacks.'
  if (finding.verdict === 'workload_shift')
    return slice === '' ? 'Compare capacity with arriving work.' : `Ask whether ${slice} is expected; compare capacity with arriving work.`
  const phase = finding.phases[0]?.phase
  const where = slice === '' ? 'the whole fleet' : slice
  return phase === undefined
    ? `Open slow requests of ${where}.`
    : `Open slow requests of ${where} and compare ${phase} with its healthy siblings.`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)
}
