// Trouble told to a person: the same sentence at most once in half a minute, with how often it came in between.

const QUIET_MS = 30_000

/** Wraps a writer of sentences. `nowMs` is monotonic. */
export function createTroubleTeller(
  write: (sentence: string) => void,
  nowMs: () => number = () => performance.now(),
): (message: string) => void {
  const told = new Map<string, { at: number; silent: number }>()
  return (message) => {
    const before = told.get(message)
    const now = nowMs()
    if (before !== undefined && now - before.at < QUIET_MS) {
      before.silent++
      return
    }
    told.set(message, { at: now, silent: 0 })
    write(before === undefined || before.silent === 0 ? message : `${message} (${before.silent} more times since the last word)`)
  }
}
