// The worker as a function: one task after the other, restarted after a crash, every task answered or rejected.
import { Worker } from 'node:worker_threads'
import type { Task, TaskAnswer } from './messages.ts'

export interface LocalizerWorker {
  run(task: Omit<Task, 'id'>): Promise<TaskAnswer>
  close(): Promise<void>
}

interface Pending {
  resolve(answer: TaskAnswer): void
  reject(error: Error): void
}

/** Memory of the worker's heap; typed arrays come on top. */
const HEAP_MB = 512

/** `inBackground`: nobody waits for its answers, so that everything else of the machine goes before it. */
export function startLocalizerWorker({ inBackground = false } = {}): LocalizerWorker {
  const pending = new Map<number, Pending>()
  let worker: Worker | null = null
  let nextId = 1

  function fail(error: Error): void {
    worker = null
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }

  function running(): Worker {
    if (worker !== null) return worker
    const limits = { maxOldGenerationSizeMb: HEAP_MB }
    const started = new Worker(new URL('./worker.ts', import.meta.url), { resourceLimits: limits, workerData: { inBackground } })
    started.unref()
    started.on('message', (answer: TaskAnswer) => {
      const task = pending.get(answer.id)
      pending.delete(answer.id)
      if (answer.error === null) task?.resolve(answer)
      else task?.reject(Object.assign(new Error(answer.error.message), { name: answer.error.name }))
    })
    started.on('error', (error) => fail(error as Error))
    started.on('exit', (code) => {
      if (worker === started) fail(new Error(`the localizer's worker ended with status ${code}`))
    })
    worker = started
    return started
  }

  return {
    run(task) {
      const id = nextId++
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject })
        running().postMessage({ ...task, id } satisfies Task)
      })
    },
    async close() {
      const last = worker
      fail(new Error('the hub ends'))
      await last?.terminate()
    },
  }
}
