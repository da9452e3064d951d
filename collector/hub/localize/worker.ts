// The localizer's own thread: rows in as Arrow, findings out. Localizing takes up to a second of work, which must not stop the hub.
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { Finding, Slice } from '@longpole/model/finding'
import { advance, type LifeStep } from '../../../src/localizer/lifecycle.ts'
import { localize } from '../../../src/localizer/localize.ts'
import type { Question } from '../../../src/localizer/question.ts'
import { type Table, TooFewRowsError } from '../../../src/localizer/table.ts'
import { tableFromArrow } from './arrow-table.ts'
import { DIMENSION_COLUMNS, PHASE_NUMBERS } from './columns.ts'
import type { Task, TaskAnswer } from './messages.ts'
import { withPhaseIds } from './phase-names.ts'
import { isWorthOpening } from './worth.ts'

/** A phase or dimension that so few rows know is left out. */
const MIN_KNOWN = 0.02

function answer(task: Task): TaskAnswer {
  const start = performance.now()
  const table = tableFromArrow(task.arrow)
  const dimensions = task.dimensions ?? DIMENSION_COLUMNS.filter((name) => isVaried(table, name))
  const phases = PHASE_NUMBERS.filter((name) => isKnown(table, name))
  const rows = { incident: 0, baseline: 0 }
  const findings = task.questions.map((asked) => {
    const question: Question = { ...asked, dimensions, phases, samples: task.samples, events: task.events, seed: 1 }
    if (dimensions.length === 0 || !(asked.target === 'outcome' || isKnown(table, asked.target))) return null
    try {
      const found = localize(table, question)
      rows.incident = Math.max(rows.incident, found.rows.incident)
      rows.baseline = Math.max(rows.baseline, found.rows.baseline)
      return found.findings.map(withPhaseIds)
    } catch (error) {
      if (error instanceof TooFewRowsError) return null
      throw error
    }
  })
  const life = task.open === null ? { open: [], changed: [] } : carryOn(task, table, findings)
  return { id: task.id, findings, rows, ...life, seconds: (performance.now() - start) / 1000, error: null }
}

function carryOn(task: Task, table: Table, findings: readonly (Finding[] | null)[]): LifeStep {
  const found = findings.flatMap((list) => list ?? []).filter(isWorthOpening)
  const incident = task.questions[0]?.incident ?? { from: 0, to: 0 }
  return advance(task.open ?? [], found, task.at, (left, right) => rowOverlap(table, incident, left.slice, right.slice))
}

function rowOverlap(table: Table, window: { from: number; to: number }, left: Slice, right: Slice): number {
  const inLeft = sliceTest(table, left)
  const inRight = sliceTest(table, right)
  let both = 0
  let either = 0
  for (let row = 0; row < table.rows; row++) {
    const time = table.time[row] as number
    if (time < window.from || time >= window.to) continue
    const a = inLeft(row)
    const b = inRight(row)
    if (a && b) both++
    if (a || b) either++
  }
  return either === 0 ? 0 : both / either
}

function sliceTest(table: Table, slice: Slice): (row: number) => boolean {
  const tests = Object.entries(slice).map(([name, values]) => {
    const column = table.dimensions.get(name)
    const flags = column?.values.map((value) => values.includes(value)) ?? []
    return (row: number) => column !== undefined && flags[column.ids[row] as number] === true
  })
  return (row) => tests.every((test) => test(row))
}

function isVaried(table: Table, name: string): boolean {
  return (table.dimensions.get(name)?.values.length ?? 0) >= 2
}

function isKnown(table: Table, name: string): boolean {
  const column = table.numbers.get(name)
  if (column === undefined) return false
  let known = 0
  for (let row = 0; row < column.length; row++) if (!Number.isNaN(column[row] as number)) known++
  return known > MIN_KNOWN * table.rows
}

/** A third of what others get where processors are short: late rather than never. */
const BACKGROUND_NICE = 5

// Linux knows a priority of each thread: this one's alone. Elsewhere it would be the whole process's, which is left as it is.
if ((workerData as { inBackground?: boolean } | null)?.inBackground === true && process.platform === 'linux') {
  setPriority(BACKGROUND_NICE)
}

const port = parentPort
port?.on('message', (task: Task) => {
  try {
    port.postMessage(answer(task))
  } catch (error) {
    const { name, message } = error as Error
    const failed: TaskAnswer = {
      id: task.id,
      findings: [],
      rows: { incident: 0, baseline: 0 },
      open: task.open ?? [],
      changed: [],
      seconds: 0,
      error: { name, message },
    }
    port.postMessage(failed)
  }
})
