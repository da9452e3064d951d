// Phases of a request or of a mean as one bar whose parts add up, and the legend that names them.
import { PHASE_COLOURS } from '@longpole/model/conventions/palette'
import { PHASES, type PhaseId, phaseOrder } from '@longpole/model/phase'
import type { ReactNode } from 'react'
import { duration, percent } from '../format.ts'
import { phaseTitle } from '../sentences.ts'

const DESCRIPTIONS = new Map<string, string>(PHASES.map((phase) => [phase.id, phase.description]))

export const phaseDescription = (phase: string): string => DESCRIPTIONS.get(phase) ?? ''
export const phaseColour = (phase: string): string => PHASE_COLOURS[phase as PhaseId] ?? '#9CA3AF'

export interface Part {
  phase: string
  seconds: number
}

const ordered = (parts: readonly Part[]): Part[] =>
  [...parts].sort((a, b) => (phaseOrder(a.phase as PhaseId) ?? 99) - (phaseOrder(b.phase as PhaseId) ?? 99))

/** `whole`: seconds that the full width stands for; the bar is as long as its own sum. */
export function PhaseBar({
  parts,
  whole,
  label,
  height = 14,
}: {
  parts: readonly Part[]
  whole?: number
  label?: string
  height?: number
}): ReactNode {
  const total = parts.reduce((sum, part) => sum + part.seconds, 0)
  const scale = whole === undefined || whole <= 0 ? total : whole
  const words = ordered(parts)
    .filter((part) => part.seconds > 0)
    .map((part) => `${phaseTitle(part.phase)} ${duration(part.seconds)}`)
    .join(', ')
  return (
    <div
      className="phase-bar"
      role="img"
      aria-label={`${label === undefined ? '' : `${label}: `}${words || 'no phases'}`}
      style={{ height }}
    >
      {ordered(parts).map((part) => (
        <span
          key={part.phase}
          title={`${phaseTitle(part.phase)}: ${duration(part.seconds)} (${percent(total > 0 ? part.seconds / total : 0)})`}
          style={{ width: `${scale > 0 ? (part.seconds / scale) * 100 : 0}%`, background: phaseColour(part.phase) }}
        />
      ))}
    </div>
  )
}

/** The phases of a mean, as the API sends them. */
export function MeanBar({
  phases,
  whole,
  label,
}: {
  phases: readonly { phase: string; mean_seconds: number }[]
  whole: number
  label: string
}): ReactNode {
  return <PhaseBar parts={phases.map(({ phase, mean_seconds }) => ({ phase, seconds: mean_seconds }))} whole={whole} label={label} />
}

export function PhaseLegend({ phases }: { phases: readonly string[] }): ReactNode {
  return (
    <ul className="legend">
      {[...new Set(phases)].map((phase) => (
        <li key={phase} title={phaseDescription(phase)}>
          <span className="swatch" style={{ background: phaseColour(phase) }} aria-hidden="true" />
          {phaseTitle(phase)}
        </li>
      ))}
    </ul>
  )
}
