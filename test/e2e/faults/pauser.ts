// Stops and continues the processes of an engine in short turns, in a process of its own, so that turns of a few milliseconds do not
// wait for anybody. When its parent goes, the engine is continued.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createRandom } from './traffic.ts'

interface PauseSettings {
  processGroup: number
  stoppedMs: number
  runningMs: number
}

/** The returned function ends it and leaves the engine running. */
export function startPausing(settings: PauseSettings): () => Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(settings)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return async () => {
    child.disconnect()
    if (child.exitCode === null) await once(child, 'exit')
  }
}

/** Between half and one and a half of the mean. */
async function turn(meanMs: number, random: () => number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.min(meanMs * (0.5 + random()), 2 ** 31 - 1)))
}

async function pause({ processGroup, stoppedMs, runningMs }: PauseSettings): Promise<void> {
  const random = createRandom(processGroup)
  process.on('disconnect', () => {
    process.kill(-processGroup, 'SIGCONT')
    process.exit()
  })
  for (;;) {
    process.kill(-processGroup, 'SIGSTOP')
    await turn(stoppedMs, random)
    process.kill(-processGroup, 'SIGCONT')
    await turn(runningMs, random)
  }
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url))
  await pause(JSON.parse(process.argv[2] as string) as PauseSettings)
