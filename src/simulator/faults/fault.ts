// What a fault (or a shift that is none) is: a knob turned on part of the fleet, and the truth that a perfect localizer would answer.
import type { ChangeKind } from '@longpole/model/change-event'
import type { Slice } from '@longpole/model/finding'
import type { MechanismId } from '@longpole/model/mechanism'
import type { PhaseId } from '@longpole/model/phase'
import type { RandomStream } from '../core/random.ts'
import type { World } from '../world.ts'

/** How the intensity goes over time: see schedule.ts. */
export const SHAPES = ['step', 'ramp', 'intermittent', 'recurring'] as const
export type Shape = (typeof SHAPES)[number]

export interface Victim {
  slice: Slice
  phases: readonly PhaseId[]
  why: string
}

export interface Truth {
  /** Rows that got slower (or failed) because of the cause itself. Empty: the whole fleet. */
  slice: Slice
  /** The most specific place of the cause where no row dimension names it, for example one rank of a group. */
  cause: Slice
  /** In the order in which they move. */
  phases: readonly PhaseId[]
  mechanism: MechanismId
  /** Slower by propagation. */
  victims: readonly Victim[]
  /** Phases that stay as they are inside the slice; what lies outside slice and victims stays in all phases. */
  steadyPhases: readonly PhaseId[]
  /** Columns besides phases that move: counters, tokens, outcomes. */
  columns: readonly string[]
  /** Verdict of a perfect localizer when this alone is injected at a material severity. */
  verdict: 'localized' | 'workload_shift' | 'no_regression'
}

export interface Injection {
  truth: Truth
  /** 0 healed, 1 full; between while ramping. Called whenever it changes. */
  apply(intensity: number, now: number): void
  /** Called every `everySeconds` while the intensity is above 0, for faults that act again and again. */
  repeat?: { everySeconds: number; act(now: number): void }
  /** A change that came with it and is recorded as an event. */
  change?: { kind: ChangeKind; title: string; scope: Slice; from?: string; to?: string }
}

export interface FaultDefinition {
  /** F1 to F33, or W1 to W7 for shifts. */
  id: string
  /** Folder, and name on the command line. */
  name: string
  title: string
  /** What breaks and what the severity means. */
  description: string
  /** Other faults it is easily taken for. */
  confusers: readonly string[]
  /** `source` names this injection on the knobs; `severity` 1 is medium. Everything not given is drawn from `random`. */
  inject(world: World, random: RandomStream, severity: number, source: string): Injection
}
