// The shape of every answer: a finding with all fields, empty where a verdict has nothing to say.
import type { Finding, Slice, Verdict } from '@longpole/model/finding'
import type { Onset } from '../onset/onset.ts'
import type { Case } from '../selection/case.ts'
import { lengthColumns } from '../workload/moves.ts'

export function blankFinding(given: Case, verdict: Verdict, slice: Slice, onset: Onset | null): Finding {
  const { question } = given
  const at = new Date(question.incident.to * 1000).toISOString()
  const measure = question.measure
  return {
    id: findingId(given, slice, onset),
    opened: at,
    updated: at,
    closed: null,
    model: question.model,
    verdict,
    target: {
      column: question.target,
      slo_seconds: measure.kind === 'deadline' ? measure.seconds : null,
      quantile: measure.kind === 'quantile' ? measure.quantile : null,
      slo: question.slo,
    },
    slice,
    aliases: [],
    siblings: [],
    phases: [],
    onset: onset === null ? null : { at: instant(onset.at), low: instant(onset.low), high: instant(onset.high) },
    share_explained: null,
    excess_seconds: 0,
    bad_requests: 0,
    workload: [],
    mechanism: null,
    changes: [],
    confidence: 'low',
    probability: 0,
    looked_at: lookedAt(given),
    not_seen: notSeen(given),
    next_check: '',
  }
}

export function instant(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString()
}

/** Hash of model, objective, slice and onset minute: the same finding keeps its id over restarts. FNV-1a, 64 bits. */
export function findingId(given: Case, slice: Slice, onset: Onset | null): string {
  const { question } = given
  const minute = onset === null ? Math.floor(question.incident.from / 60) : Math.floor(onset.at / 60)
  const names = Object.keys(slice).sort()
  const text = JSON.stringify([question.model, question.slo ?? question.target, names.map((name) => [name, slice[name]]), minute])
  let hash = 0xcbf29ce484222325n
  for (const character of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character)) * 0x100000001b3n)
  }
  return hash.toString(16).padStart(16, '0')
}

function lookedAt(given: Case): string[] {
  const { population, dimensions, question, conditioning } = given
  const looked = [`${population.rows.incident} incident rows against ${population.rows.baseline} baseline rows`]
  looked.push(
    `${dimensions.length} dimension${dimensions.length === 1 ? '' : 's'}: ${dimensions.map((dimension) => dimension.name).join(', ')}`,
  )
  if (conditioning.covariates.length > 0) looked.push(`at equal ${conditioning.covariates.join(', ')}`)
  if (question.phases.length > 0) looked.push(`${question.phases.length} phases`)
  if (question.samples.length > 0) looked.push(`${question.samples.length} engine samples`)
  if (question.events.length > 0) looked.push(`${question.events.length} change events`)
  return looked
}

function notSeen(given: Case): string[] {
  const { population, question, dimensions, table } = given
  const hidden: string[] = []
  const lost = population.missing.incident + population.missing.baseline
  if (lost > 0) hidden.push(`${lost} rows without ${question.target}`)
  if (question.phases.length === 0) hidden.push('no phase columns')
  if (question.samples.length === 0) hidden.push('no engine samples')
  if (question.events.length === 0) hidden.push('no change events')
  if (question.measure.kind === 'quantile' && conditioned(given).length === 0)
    hidden.push('no lengths: a longer prompt looks like a slower one')
  for (const { name, ids, values } of dimensions) {
    const share = countOf(ids, values.length, population.incident) / Math.max(population.incident.length, 1)
    if (share > 0.1) hidden.push(`${name} is missing in ${Math.round(share * 100)} % of the rows`)
  }
  if (table.dimensions.get('outcome') === undefined && question.measure.kind !== 'sum')
    hidden.push('no outcome column: unfinished requests are unseen')
  return hidden
}

function countOf(ids: Uint16Array | Uint32Array, id: number, rows: Int32Array): number {
  let count = 0
  for (let at = 0; at < rows.length; at++) if (ids[rows[at] as number] === id) count++
  return count
}

function conditioned(given: Case): string[] {
  return given.conditioning.covariates.length > 0 ? given.conditioning.covariates : lengthColumns(given)
}
