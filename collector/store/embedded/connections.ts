// Connections to the chDB engine of this process. The engine runs the statements of one connection one after the other, so reads,
// inserts and everything else have connections of their own, and a statement waits here, not on a thread of libuv.
import { Session } from 'chdb'

export type Lane = 'read' | 'insert' | 'command'

export interface Connections {
  /** Runs `work` on the next free connection of the lane. */
  use<T>(lane: Lane, work: (session: Session) => Promise<T>): Promise<T>
}

/** Throws when the data directory cannot be opened; the engine says why on stderr. */
export function openConnections(path: string, engineArguments: readonly string[], readers: number): Connections {
  const open = () => new Session(path, { connectionArgs: engineArguments })
  const lanes: Record<Lane, ReturnType<typeof createLane>> = {
    insert: createLane([open()]),
    command: createLane([open()]),
    read: createLane(Array.from({ length: readers }, open)),
  }
  return { use: (lane, work) => lanes[lane](work) }
}

function createLane(sessions: Session[]) {
  const free = [...sessions]
  const waiting: ((session: Session) => void)[] = []

  return async function use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = free.pop() ?? (await new Promise<Session>((resolve) => waiting.push(resolve)))
    try {
      return await work(session)
    } finally {
      const next = waiting.shift()
      if (next === undefined) free.push(session)
      else next(session)
    }
  }
}
