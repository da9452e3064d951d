// Counters in memory that both threads see: they survive the worker, so that nothing is forgotten when it dies.
// Each cell is an int64; only adding is allowed, but for the ones that are set.
import { OUTCOMES } from '@longpole/model/request-record'

export const SPAN_DROP_REASONS = ['queue_full', 'refused', 'partial_success', 'shutdown', 'worker_lost'] as const
export const REPORT_DROP_REASONS = ['queue_full', 'refused', 'partial_success', 'shutdown'] as const
export const SPAN_REJECT_REASONS = ['unavailable', 'unreachable', 'timeout'] as const
export const OBSERVATION_DROP_REASONS = ['queue_full', 'malformed', 'shutdown'] as const
export const SCRAPE_RESULTS = ['ok', 'unreachable', 'timeout', 'status', 'too_large', 'broken'] as const

const CELLS = [
  'spansReceived',
  'spansExported',
  /** Set by the worker every second while it lives. */
  'heartbeat',
  /** Finished requests that the worker has taken over. */
  'observationsTaken',
  'requestsOpen',
  ...OUTCOMES.map((outcome) => `outcome:${outcome}` as const),
  ...SPAN_DROP_REASONS.map((reason) => `spansDropped:${reason}` as const),
  ...REPORT_DROP_REASONS.map((reason) => `openReportsDropped:${reason}` as const),
  ...REPORT_DROP_REASONS.map((reason) => `samplesDropped:${reason}` as const),
  ...SPAN_REJECT_REASONS.map((reason) => `spansRejected:${reason}` as const),
  ...OBSERVATION_DROP_REASONS.map((reason) => `observationsDropped:${reason}` as const),
  ...SCRAPE_RESULTS.map((result) => `scrapes:${result}` as const),
] as const
export type Cell = (typeof CELLS)[number]

const INDEX = new Map<string, number>(CELLS.map((cell, index) => [cell, index]))

export class SharedCounters {
  readonly memory: SharedArrayBuffer
  readonly #cells: BigInt64Array

  /** New ones, or those in `memory`. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(CELLS.length * 8)) {
    this.memory = memory
    this.#cells = new BigInt64Array(memory)
  }

  add(cell: Cell, count = 1): void {
    if (count !== 0) Atomics.add(this.#cells, INDEX.get(cell) as number, BigInt(count))
  }

  set(cell: Cell, value: number): void {
    Atomics.store(this.#cells, INDEX.get(cell) as number, BigInt(value))
  }

  get(cell: Cell): number {
    return Number(Atomics.load(this.#cells, INDEX.get(cell) as number))
  }

  /** received = exported + dropped + in flight. */
  spansInFlight(): number {
    const dropped = SPAN_DROP_REASONS.reduce((sum, reason) => sum + this.get(`spansDropped:${reason}`), 0)
    return this.get('spansReceived') - this.get('spansExported') - dropped
  }
}
