// Starts a long-running command small: the process replaces itself, once, by one that reads every module from the compile cache. A
// process that strips TypeScript itself carries the stripper (about 15 MB a thread) for the rest of its life.
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

/** As in bin/longpole.mjs. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/longpole', import.meta.url))
/** Set in the second life. */
const MARK = 'LONGPOLE_LEAN'

/** Returns in the second life, or where the process cannot replace itself. `load` imports all that the command will need. */
export async function startLean(load: () => Promise<unknown>): Promise<void> {
  if (process.env[MARK] !== undefined || typeof process.execve !== 'function') return
  if (enableCompileCache(CACHE).directory === undefined) return
  await load()
  flushCompileCache()
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  // Two allocator arenas instead of one a thread: what is freed is given back.
  const environment = { ...process.env, NODE_COMPILE_CACHE: CACHE, MALLOC_ARENA_MAX: '2', [MARK]: '1' }
  try {
    process.execve(process.execPath, command, environment)
  } catch {
    // A system that forbids it runs the command in this process: larger, not worse.
  }
}
