// The parent's end of the history process: blocks go into the hub's store, one being stored while the next is made.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Store } from '../../../collector/store/store.ts'
import type { FleetSettings, HistoryBlock, ToHistory } from './messages.ts'

export interface HistoryLink {
  /** Resolves with the number of requests when all is stored; rejects when something failed. */
  done: Promise<number>
  stop(): void
}

const PROGRAM = fileURLToPath(new URL('./history-process.ts', import.meta.url))

export function startHistory(settings: FleetSettings, store: Store, onProgress: (done: number, rows: number) => void): HistoryLink {
  const child = fork(PROGRAM, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const send = (message: ToHistory) => {
    if (child.connected) child.send(message)
  }
  let rows = 0
  let storing: Promise<void> = Promise.resolve()

  async function insert({ arrow, samples, events, rows: count }: HistoryBlock): Promise<void> {
    if (count > 0) await store.insertRecordTable(arrow)
    await store.insertSamples(samples)
    await store.insertEvents(events)
  }

  async function take(block: HistoryBlock): Promise<void> {
    await storing
    send({ type: 'taken' })
    storing = insert(block)
    await storing
    rows += block.rows
    onProgress(block.done, rows)
    if (block.done >= 1) resolve(rows)
  }

  child.on('message', (block: HistoryBlock) => {
    take(block).catch(reject)
  })
  child.on('exit', (code) => {
    if (code !== 0) reject(new Error(`the process that makes history ended (${code ?? 'by a signal'})`))
  })
  send({ type: 'start', settings })
  return { done: promise, stop: () => child.kill() }
}
