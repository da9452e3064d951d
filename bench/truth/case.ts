// One labelled question of the accuracy benchmark: a table, what is asked, and what a perfect localizer would say.
import type { Slice } from '@longpole/model/finding'
import type { Question } from '../../src/localizer/question.ts'
import type { Table } from '../../src/localizer/table.ts'

export type CaseKind = 'fault' | 'fleet' | 'shift' | 'quiet'

export interface Truth {
  kind: CaseKind
  /** The causal slices; several for simultaneous faults. */
  slices: Slice[]
  /** Phase columns that count as right, the best first; empty: not judged. */
  phases: string[]
  /** Mechanisms that count as right; empty: not judged. */
  mechanisms: string[]
  /** Unix seconds at which the effect begins. */
  onset: number | null
  /** Part of the target's rise that goes where one fault is left out of the same run, by its slice; absent: not judged. */
  shares?: { slice: Slice; share: number }[]
  /** Of the question's change events: the one that did it, and those that did nothing. Absent: not judged. */
  changes?: { guilty: string | null; innocent: string[] }
  /** Dimensions or lengths that moved, any of which counts as right. */
  moved: string[]
  /** The effect is large enough to be held to it; others must be silent or right. */
  material: boolean
}

export interface TruthCase {
  suite: string
  family: string
  severity: number
  seed: number
  table: Table
  question: Question
  truth: Truth
}

export const START = 1_700_000_000
