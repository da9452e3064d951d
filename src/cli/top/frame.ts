// The first page as lines of text: verdict, findings, models with their objectives and phases, requests in flight, changes. A pure
// function of the hub's answers and the width; what is on the screen of it, and when, is screen.ts.
import type { ApiEvent, ApiOpenRequest, ApiSummary } from '@longpole/model/api'
import type { Finding } from '@longpole/model/finding'
import { ageShare, clock, count, duration, percent, rate, toMs } from '../../../collector/console/format.ts'
import {
  attainments,
  findingText,
  headline,
  isSilent,
  load,
  MANY_ERRORS,
  openFindings,
  phaseTitle,
} from '../../../collector/console/sentences.ts'
import { clip, justify, printable, widthOf, wrap } from './cells.ts'
import type { Paint } from './paint.ts'

/** What the hub answered; `open` as it was sent, `events` oldest first. */
export interface FirstPage {
  summary: ApiSummary
  open: readonly ApiOpenRequest[]
  events: readonly ApiEvent[]
}

export const SECTIONS = ['findings', 'models', 'open', 'changes'] as const
export type Section = (typeof SECTIONS)[number]

export interface Frame {
  /** The verdict, above everything. */
  head: string[]
  body: string[]
  /** Line of the body at which each section begins. */
  begins: Record<Section, number>
}

const MAX_OPEN = 40
const MAX_CHANGES = 10
const MAX_MODEL_CELLS = 28
const BAR_CELLS = 24
const AGE_CELLS = 20

export function drawFrame(page: FirstPage, columns: number, paint: Paint): Frame {
  const body: string[] = []
  const begins = { findings: 0, models: 0, open: 0, changes: 0 }
  const sections: Record<Section, string[]> = {
    findings: drawFindings(page.summary, columns, paint),
    models: drawModels(page.summary, columns, paint),
    open: drawOpen(page, columns, paint),
    changes: drawChanges(page.events, columns, paint),
  }
  for (const section of SECTIONS) {
    begins[section] = body.length
    if (sections[section].length > 0) body.push(...sections[section], '')
  }
  return { head: drawHead(page.summary, columns, paint), body, begins }
}

function drawHead(summary: ApiSummary, columns: number, paint: Paint): string[] {
  const { tone, text } = headline(summary)
  const colour = { fine: paint.ok, moved: paint.warn, bad: paint.bad }[tone]
  if (isSilent(summary)) {
    return wrap(
      'No request has arrived yet. `longpole doctor` says which part is missing; `longpole demo` shows a simulated fleet.',
      columns,
    )
  }
  return [...wrap(text, columns).map((line) => paint.bold(colour(line))), ...wrap(load(summary), columns)]
}

function drawFindings(summary: ApiSummary, columns: number, paint: Paint): string[] {
  return openFindings(summary).flatMap((finding, index) => {
    const [first = '', ...rest] = wrap(printable(findingText(finding)), columns - 3)
    const facts = factsOf(finding)
    return [
      `${paint.bold(justify(`${index + 1}`, 2))} ${paint.bold(first)}`,
      ...rest.map((line) => `   ${line}`),
      ...wrap(facts, columns - 3).map((line) => `   ${paint.dim(line)}`),
      ...wrap(`next: ${printable(finding.next_check)}`, columns - 3).map((line) => `   ${paint.dim(line)}`),
    ]
  })
}

function factsOf(finding: Finding): string {
  const explained = finding.share_explained === null ? '' : `, explains ${percent(finding.share_explained.value)}`
  return `${count(finding.bad_requests)} bad requests, ${duration(finding.excess_seconds)} of extra waiting${explained}`
}

function drawModels(summary: ApiSummary, columns: number, paint: Paint): string[] {
  if (summary.models.length === 0) return []
  const named = Math.max(5, ...summary.models.map(({ model }) => widthOf(printable(model || 'unknown model'))))
  const modelCells = Math.min(MAX_MODEL_CELLS, named, Math.max(8, columns - 50))
  const heads: [string, number][] = [
    ['requests', 9],
    ['errors', 7],
    ['TTFT p50', 9],
    ['p99', 8],
    ['TPOT', 8],
  ]
  const title = `${justify('Model', modelCells)} ${heads.map(([text, cells]) => justify(text, cells, 'right')).join('')}`
  const lines = [paint.dim(clip(title, columns))]
  for (const model of summary.models) {
    const values = [
      rate(model.requests_per_second),
      percent(model.error_ratio, 1),
      duration(model.ttft_p50),
      duration(model.ttft_p99),
      duration(model.tpot_p50),
    ]
    const numbers = values.map((value, index) => justify(value, heads[index]?.[1] ?? 8, 'right')).join('')
    const line = clip(`${justify(printable(model.model || 'unknown model'), modelCells)} ${numbers}`, columns)
    lines.push(model.error_ratio > MANY_ERRORS ? paint.warn(line) : line)
    lines.push(...drawPhases(model.phases, columns, paint), ...drawObjectives(summary, model.model, columns, paint))
  }
  return lines
}

/** Where the mean request spends its time: a bar where there are colours, the three largest phases in words always. */
function drawPhases(phases: ApiSummary['models'][number]['phases'], columns: number, paint: Paint): string[] {
  const total = phases.reduce((sum, phase) => sum + phase.mean_seconds, 0)
  if (total <= 0) return []
  const largest = [...phases].sort((a, b) => b.mean_seconds - a.mean_seconds).filter((phase) => phase.mean_seconds > 0.01 * total)
  const words = largest
    .slice(0, 3)
    .map((phase) => `${phaseTitle(phase.phase).toLowerCase()} ${percent(phase.mean_seconds / total)}`)
    .join(', ')
  if (!paint.hasColours || columns < BAR_CELLS + 30) return [clip(`  mean ${duration(total)}: ${words}`, columns)]
  const bar = shareCells(
    phases.map((phase) => phase.mean_seconds / total),
    BAR_CELLS,
  )
    .map((cells, index) => paint.phase(phases[index]?.phase ?? '', '█'.repeat(cells)))
    .join('')
  return [`  ${bar} ${clip(`mean ${duration(total)}: ${words}`, columns - BAR_CELLS - 3)}`]
}

/** Whole cells that add up to `cells`, by the largest remainders. */
export function shareCells(shares: readonly number[], cells: number): number[] {
  const exact = shares.map((share) => share * cells)
  const whole = exact.map(Math.floor)
  const order = exact.map((value, index) => ({ index, rest: value - Math.floor(value) })).sort((a, b) => b.rest - a.rest)
  let left = cells - whole.reduce((sum, value) => sum + value, 0)
  for (const { index, rest } of order) {
    if (left <= 0 || rest === 0) break
    whole[index] = (whole[index] ?? 0) + 1
    left--
  }
  return whole
}

function drawObjectives(summary: ApiSummary, model: string, columns: number, paint: Paint): string[] {
  const lines: string[] = []
  let line = ' '
  let cells = 1
  for (const { slo, attainment, objective } of attainments(summary, model)) {
    const missed = attainment < objective
    const words = `${missed ? '✕' : '✓'} ${slo} ${percent(attainment, 1)}`
    if (cells + 1 + widthOf(words) > columns) {
      lines.push(line)
      line = ' '
      cells = 1
    }
    line += ` ${missed ? paint.bad(words) : paint.ok(words)}`
    cells += 1 + widthOf(words)
  }
  return cells > 1 ? [...lines, line] : lines
}

function drawOpen({ open, summary }: FirstPage, columns: number, paint: Paint): string[] {
  if (summary.open === 0) return []
  const oldest = [...open].sort((a, b) => b.age_seconds - a.age_seconds).slice(0, MAX_OPEN)
  const whereCells = Math.max(8, Math.min(30, columns - AGE_CELLS - 34))
  const lines = oldest.map((request) => {
    const where = justify(printable(request.replica ?? request.model ?? 'unknown'), whereCells)
    const bar = paint.phase(request.phase, justify('▬'.repeat(ageCells(request.age_seconds)), AGE_CELLS))
    const late = request.late.length === 0 ? '' : ` late: ${request.late.join(', ')}`
    const after = columns - whereCells - AGE_CELLS - 12
    const phase = clip(phaseTitle(printable(request.phase)), after)
    return `${where} ${bar} ${justify(duration(request.age_seconds), 8, 'right')}  ${phase}${paint.bad(clip(late, after - widthOf(phase)))}`
  })
  const rest = summary.open - lines.length
  return [
    paint.dim(clip(`In flight, ${count(summary.open)}, oldest first`, columns)),
    ...lines,
    ...(rest > 0 ? [`and ${count(rest)} more`] : []),
  ]
}

function ageCells(seconds: number): number {
  return Math.max(1, Math.round(ageShare(seconds) * AGE_CELLS))
}

function drawChanges(events: readonly ApiEvent[], columns: number, paint: Paint): string[] {
  const latest = [...events].sort((a, b) => toMs(b.unix_ns) - toMs(a.unix_ns)).slice(0, MAX_CHANGES)
  if (latest.length === 0) return []
  return [
    paint.dim(clip('Changes, newest first', columns)),
    ...latest.map((event) => clip(`${clock(event.unix_ns, false)} ${justify(event.kind, 8)} ${printable(event.title)}`, columns)),
  ]
}
