// What the truth needs to remember of every request of a run, in typed arrays: start, phases, outcome, and which slices it is in.
import type { Slice } from '@longpole/model/finding'
import { PHASE_IDS } from '@longpole/model/phase'
import { PHASE, type SimRequest } from '../core/request.ts'
import { RECORD_COLUMNS, type RecordColumn } from '../output/record-columns.ts'

const PHASE_COUNT = PHASE_IDS.length

/** Only dimensions are asked for: their getters do not need the run's identity. */
const NO_RUN = { seed: 0, startUnixNano: 0n }

export class RowLog {
  rows = 0
  /** Bit i: the row is in slice i of the list given. */
  members = new Uint32Array(1024)
  /** Names the call in every run of one seed. */
  keys = new Float64Array(1024)
  starts = new Float64Array(1024)
  failed = new Uint8Array(1024)
  firstTokens = new Float64Array(1024)
  perToken = new Float64Array(1024)
  phases = new Float32Array(1024 * PHASE_COUNT)
  private readonly slices: readonly { getters: readonly { column: RecordColumn; values: ReadonlySet<string> }[] }[]

  /** At most 32 slices. */
  constructor(slices: readonly Slice[]) {
    this.slices = slices.map((slice) => ({
      getters: Object.entries(slice).map(([name, values]) => ({ column: columnOf(name), values: new Set(values) })),
    }))
  }

  append(request: SimRequest): void {
    const row = this.rows++
    if (row === this.starts.length) this.grow()
    this.keys[row] = request.key
    this.starts[row] = request.startedAt
    this.failed[row] = request.outcome === 'ok' || request.outcome === 'aborted' ? 0 : 1
    this.phases.set(request.phases, row * PHASE_COUNT)
    this.firstTokens[row] = request.firstTokenSeconds
    const decoded = (request.phases[PHASE['engine.decode']] as number) + (request.phases[PHASE['stream.drain']] as number)
    this.perToken[row] = request.outcome === 'ok' && request.outputTokens > 1 ? decoded / (request.outputTokens - 1) : Number.NaN
    let members = 0
    this.slices.forEach(({ getters }, index) => {
      if (getters.every(({ column, values }) => values.has(column.get(request, NO_RUN) as string))) members |= 1 << index
    })
    this.members[row] = members
  }

  phase(row: number, phase: number): number {
    return this.phases[row * PHASE_COUNT + phase] as number
  }

  total(row: number): number {
    let sum = 0
    for (let phase = 0; phase < PHASE_COUNT; phase++) sum += this.phases[row * PHASE_COUNT + phase] as number
    return sum
  }

  private grow(): void {
    const size = this.starts.length * 2
    this.members = widen(this.members, new Uint32Array(size))
    this.keys = widen(this.keys, new Float64Array(size))
    this.starts = widen(this.starts, new Float64Array(size))
    this.failed = widen(this.failed, new Uint8Array(size))
    this.firstTokens = widen(this.firstTokens, new Float64Array(size))
    this.perToken = widen(this.perToken, new Float64Array(size))
    this.phases = widen(this.phases, new Float32Array(size * PHASE_COUNT))
  }
}

function widen<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}

function columnOf(name: string): RecordColumn {
  const column = RECORD_COLUMNS.find((entry) => entry.name === name)
  if (column === undefined) throw new Error(`no record column ${name}`)
  return column
}
