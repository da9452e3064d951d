// What the hub's main thread and the localizer's worker say to each other.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { OpenFinding } from '../../../src/localizer/lifecycle.ts'
import type { Question } from '../../../src/localizer/question.ts'

/** A question without what is the same for all of one task. */
export type TaskQuestion = Omit<Question, 'dimensions' | 'phases' | 'samples' | 'events' | 'seed'>

export interface Task {
  id: number
  /** Arrow IPC stream of the rows of all windows. */
  arrow: Uint8Array
  questions: TaskQuestion[]
  /** Null: every dimension of the table with at least two values. */
  dimensions: string[] | null
  samples: EngineSample[]
  events: ChangeEvent[]
  /** Findings of this model that are open: the worker carries their life on. Null: only answer. */
  open: OpenFinding[] | null
  /** Time of the evaluation, RFC 3339. */
  at: string
}

export interface TaskAnswer {
  id: number
  /** Answers by question; null where there were too few rows. */
  findings: (Finding[] | null)[]
  rows: { incident: number; baseline: number }
  open: OpenFinding[]
  changed: Finding[]
  seconds: number
  error: { name: string; message: string } | null
}
