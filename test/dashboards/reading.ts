// How a person reads the boards: from the first panel of Fleet overview on, in order, of each panel the line that stands out, until phase
// and slice are known. What stands out is decided by the panel itself (its sorting, its growth), never by the truth.
import type { Slice } from '@longpole/model/finding'
import { isPhaseId } from '@longpole/model/phase'
import type { RequestRecord } from '@longpole/model/request-record'
import type { PrometheusSeries } from '../metrics/prometheus.ts'

export interface ReadPanel {
  title: string
  type: string
  targets: { expr?: string; refId?: string; legendFormat?: string }[]
  options?: { sortBy?: { displayName: string; desc?: boolean }[] }
  fieldConfig?: { overrides?: { matcher: { options: string }; properties: { id: string; value: unknown }[] }[] }
}

/** What one line of a panel says: a phase, a place, or both. */
export interface Claim {
  phase: string | null
  slice: Slice
}

/** Dimensions that name a place when they are the label of a line. */
const PLACES = [
  'replica',
  'region',
  'client_region',
  'cluster',
  'model',
  'prefill_replica',
  'tenant_class',
  'prompt_class',
  'source',
] as const

/** Grown by less nobody sees. */
const SEEN = 1.5

/** The line of a table that its sorting puts first. `series` are the instant results of each query. */
export function firstRow(panel: ReadPanel, series: readonly (readonly PrometheusSeries[])[]): Claim | null {
  const sort = panel.options?.sortBy?.[0]
  const column = panel.fieldConfig?.overrides?.find(({ properties }) =>
    properties.some(({ id, value }) => id === 'displayName' && value === sort?.displayName),
  )?.matcher.options
  const index = panel.targets.findIndex(({ refId }) => column === `Value #${refId}`)
  const rows = [...(series[Math.max(0, index)] ?? [])]
  const sign = sort?.desc === false ? 1 : -1
  rows.sort((a, b) => sign * (Number(a.value?.[1]) - Number(b.value?.[1])))
  return rows[0] === undefined ? null : claimOf(rows[0].metric, panel.targets[0]?.expr ?? '')
}

/** The line that grew most since `before`; null where none did visibly. */
export function grownLine(
  panel: ReadPanel,
  now: readonly PrometheusSeries[],
  before: readonly PrometheusSeries[],
  expr: string,
): Claim | null {
  const earlier = new Map(before.map(({ metric, value }) => [nameOf(metric), Number(value?.[1])]))
  let best: { growth: number; extra: number; metric: Record<string, string> } | null = null
  for (const { metric, value } of now) {
    const usual = earlier.get(nameOf(metric))
    const current = Number(value?.[1])
    if (usual === undefined || !(usual > 0) || !(current > SEEN * usual)) continue
    const extra = current - usual
    if (best === null || extra > best.extra) best = { growth: current / usual, extra, metric }
  }
  return best === null ? null : claimOf(best.metric, `${expr} ${panel.title}`)
}

function nameOf(metric: Record<string, string>): string {
  return JSON.stringify(Object.entries(metric).sort())
}

function claimOf(metric: Record<string, string>, expr: string): Claim {
  const slice = sliceOf(metric.slice ?? '')
  if (metric.slice === undefined) {
    for (const name of PLACES) {
      const value = metric[name]
      if (value !== undefined && value !== '') slice[name === 'source' ? 'prefill_replica' : name] = [value]
    }
  } else if (metric.model !== undefined && metric.model !== '' && !('model' in slice)) slice.model = [metric.model]
  return { phase: metric.phase ?? onlyPhase(expr), slice }
}

/** `dim=a|b,dim=c` as a slice; a name that was cut at its end is left out. */
export function sliceOf(text: string): Slice {
  const slice: Slice = {}
  for (const part of text.split(',')) {
    const at = part.indexOf('=')
    if (at > 0 && !part.endsWith('…')) slice[part.slice(0, at)] = part.slice(at + 1).split('|')
    else if (at > 0)
      slice[part.slice(0, at)] = part
        .slice(at + 1)
        .split('|')
        .slice(0, -1)
  }
  return slice
}

/** The phase of a panel that shows only one. */
function onlyPhase(expr: string): string | null {
  const phases = new Set([...expr.matchAll(/phase="([a-z._]+)"/g)].map((match) => match[1] as string))
  const [phase] = phases
  return phases.size === 1 && phase !== undefined && isPhaseId(phase) && phase !== 'unattributed' ? phase : null
}

/** Two claims on one screen: a phase from one, the place from the other. */
export function together(known: Claim, next: Claim | null): Claim {
  if (next === null) return known
  return { phase: next.phase ?? known.phase, slice: Object.keys(next.slice).length > 0 ? next.slice : known.slice }
}

export interface Truth {
  slice: Slice
  cause: Slice
  phases: readonly string[]
}

/** Phases that the client's view calls by one name. */
const NETWORK = new Set(['client.connect', 'client.upload', 'stream.network', 'stream.drain'])

export function isRightPhase(phase: string | null, { phases }: Truth): boolean {
  if (phase === null) return false
  if (phase === 'network') return phases.some((name) => NETWORK.has(name))
  return phases.includes(phase)
}

/** Same rows by half and more, or a part of the true slice (its rows are nearly all inside). */
export function isRightSlice(slice: Slice, truth: Truth, rows: readonly RequestRecord[]): 'same' | 'inside' | 'wrong' {
  let both = 0
  let named = 0
  let true_ = 0
  for (const record of rows) {
    const isNamed = Object.keys(slice).length > 0 && isIn(record, slice)
    const isTrue = isIn(record, truth.slice)
    if (isNamed) named++
    if (isTrue) true_++
    if (isNamed && isTrue) both++
  }
  const either = named + true_ - both
  if (Object.keys(truth.slice).length === 0)
    return Object.keys(slice).length <= 1 && 'model' in slice ? 'inside' : named === 0 ? 'same' : 'wrong'
  if (either > 0 && both / either >= 0.5) return 'same'
  return named > 0 && both / named >= 0.9 ? 'inside' : 'wrong'
}

function isIn(record: RequestRecord, slice: Slice): boolean {
  return Object.entries(slice).every(([name, values]) => {
    if (name === 'replica') return values.includes(record.replica ?? '') || values.includes(record.prefill_replica ?? '')
    return values.includes(String(record[name as keyof RequestRecord]))
  })
}
