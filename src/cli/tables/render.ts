// Findings as text that is read in ten seconds and can be pasted into an incident channel: no colours, no tables, no wide lines.
import type { ApiWhyResponse } from '@longpole/model/api'
import { type Finding, formatSlice, type Slice } from '@longpole/model/finding'
import { MECHANISMS } from '@longpole/model/mechanism'

const HEADLINES: Record<Finding['verdict'], string> = {
  localized: 'LOCALIZED',
  fleet_wide: 'FLEET-WIDE',
  workload_shift: 'WORKLOAD SHIFT, nothing is broken',
  not_localized: 'REGRESSION CONFIRMED, NOT LOCALIZED',
  no_regression: 'NO REGRESSION',
}

export function renderFindings(response: ApiWhyResponse): string {
  const { incident, baseline } = response.rows
  const blocks = response.findings.map((finding, index) => renderFinding(finding, index, response.findings.length))
  const footer = `${count(incident)} requests against ${count(baseline)} in the baseline, ${response.seconds.toFixed(2)} s`
  return `${blocks.join('\n')}\n${footer}\n`
}

function renderFinding(finding: Finding, index: number, total: number): string {
  const lines: string[] = []
  const number = total > 1 ? `${index + 1}. ` : ''
  const named = finding.verdict === 'localized' ? `: ${formatSlice(finding.slice)}` : ''
  const sure = `${finding.confidence} confidence, ${percent(finding.probability)}`
  lines.push(`${number}${HEADLINES[finding.verdict]}${named}  (${sure})`)
  if (finding.verdict === 'localized' || finding.verdict === 'fleet_wide') lines.push(...faultLines(finding))
  if (finding.verdict === 'workload_shift') for (const move of finding.workload) lines.push(`  moved    ${move.description}`)
  if (finding.verdict === 'not_localized' && finding.aliases.length > 0) lines.push(`  suspects ${finding.aliases.map(name).join('; ')}`)
  lines.push(`  next     ${finding.next_check}`)
  if (finding.not_seen.length > 0) lines.push(`  unseen   ${finding.not_seen.join('; ')}`)
  return lines.join('\n')
}

function faultLines(finding: Finding): string[] {
  const lines: string[] = []
  const phases = finding.phases.filter((phase) => phase.share >= 0.05).slice(0, 3)
  if (phases.length > 0) {
    lines.push(
      `  phase    ${phases.map((phase) => `${phase.phase} ${percent(phase.share)} (${percent(phase.low)}–${percent(phase.high)})`).join(', ')}`,
    )
  }
  if (finding.onset !== null) lines.push(`  since    ${clock(finding.onset.at)} (${time(finding.onset.low)}–${time(finding.onset.high)})`)
  const share = finding.share_explained
  const parts: string[] = []
  if (share !== null) parts.push(`${percent(share.value)} of the regression (${percent(share.low)}–${percent(share.high)})`)
  if (finding.bad_requests > 0) parts.push(`${count(finding.bad_requests)} bad requests`)
  if (finding.excess_seconds > 0) parts.push(`${count(Math.round(finding.excess_seconds))} extra seconds waited`)
  if (parts.length > 0) lines.push(`  cost     ${parts.join(', ')}`)
  if (finding.mechanism !== null) {
    const title = MECHANISMS.find((mechanism) => mechanism.id === finding.mechanism?.name)?.title ?? finding.mechanism.name
    lines.push(`  why      ${title}: ${finding.mechanism.evidence_for.slice(0, 2).join('; ')}`)
    if (finding.mechanism.evidence_against.length > 0) lines.push(`  against  ${finding.mechanism.evidence_against.slice(0, 2).join('; ')}`)
    if (finding.mechanism.needs.length > 0) lines.push(`  needs    ${finding.mechanism.needs.join('; ')}`)
  }
  for (const change of finding.changes.slice(0, 2)) {
    lines.push(
      `  change   ${change.event.kind} "${change.event.title}" at ${clock(change.event.at)}, covers ${percent(change.overlap)} of the slice`,
    )
  }
  if (finding.aliases.length > 0) lines.push(`  also     ${finding.aliases.slice(0, 3).map(name).join('; ')}`)
  if (finding.siblings.length > 0) {
    lines.push(`  fine     ${finding.siblings.map((sibling) => `${name(sibling.slice)} ×${sibling.ratio.toFixed(1)}`).join(', ')}`)
  }
  return lines
}

function name(slice: Slice): string {
  return formatSlice(slice)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function clock(instant: string): string {
  return instant.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')
}

function time(instant: string): string {
  return instant.slice(11, 19)
}
