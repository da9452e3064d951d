// Group commit: what arrives while an insert is under way goes together into the next one, and each caller is told when its own rows
// are in the store. Keeps the number of parts small without a timer on the way of a lone row.
import { StoreUnavailable } from './store.ts'

export interface GroupCommitSettings {
  /** Rows of one insert. */
  maxRows: number
  /** Rows that may wait; a caller beyond that is turned away at once. */
  maxWaiting: number
  /** Least time from the start of one insert to the start of the next. */
  intervalMs: number
}

export interface GroupCommit<Row> {
  add(rows: readonly Row[]): Promise<void>
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>
}

interface Waiting<Row> {
  rows: readonly Row[]
  resolve: () => void
  reject: (error: unknown) => void
}

export function createGroupCommit<Row>(write: (rows: Row[]) => Promise<void>, settings: GroupCommitSettings): GroupCommit<Row> {
  const { maxRows, maxWaiting, intervalMs } = settings
  let waiting: Waiting<Row>[] = []
  let waitingRows = 0
  let running: Promise<void> | null = null

  /** The callers whose rows go into the next insert: at least one, however many rows it has. */
  function takeGroup(): Waiting<Row>[] {
    let rows = 0
    let count = 0
    while (count < waiting.length && (count === 0 || rows + (waiting[count] as Waiting<Row>).rows.length <= maxRows)) {
      rows += (waiting[count] as Waiting<Row>).rows.length
      count++
    }
    const group = waiting.slice(0, count)
    waiting = waiting.slice(count)
    waitingRows -= rows
    return group
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const startMs = performance.now()
      const group = takeGroup()
      try {
        await write(group.flatMap((caller) => caller.rows as Row[]))
        for (const caller of group) caller.resolve()
      } catch (error) {
        for (const caller of group) caller.reject(error)
      }
      const restMs = intervalMs - (performance.now() - startMs)
      if (waiting.length > 0 && waitingRows < maxRows && restMs > 0) await new Promise((resume) => setTimeout(resume, restMs))
    }
    running = null
  }

  return {
    add(rows) {
      if (rows.length === 0) return Promise.resolve()
      if (waitingRows > 0 && waitingRows + rows.length > maxWaiting) {
        return Promise.reject(new StoreUnavailable(`the store is behind: ${waitingRows} rows are waiting`))
      }
      waitingRows += rows.length
      return new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject })
        running ??= Promise.resolve().then(run)
      })
    },
    async idle() {
      while (running !== null) await running
    },
  }
}
