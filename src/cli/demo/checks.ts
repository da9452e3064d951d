// What can keep a demo from starting, said before it starts: a port that is taken, a disk that is full.
import { mkdirSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { InputError } from '../input-error.ts'

/** What two hours of history and an evening of live traffic need. */
const NEEDED_BYTES = 700_000_000

/** Throws where the directory cannot be written or its disk is too full. */
export function checkDisk(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (error) {
    throw new InputError(`--data: ${directory} cannot be made: ${(error as Error).message}`)
  }
  const { bavail, bsize } = statfsSync(directory)
  const free = bavail * bsize
  if (free < NEEDED_BYTES) {
    throw new InputError(`--data: the disk of ${directory} has ${megabytes(free)} free, the demo needs ${megabytes(NEEDED_BYTES)}`)
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1e6)} MB`
}

/** The address if its port is free, else one with a port that the system chooses. */
export async function freeAddress(address: string): Promise<string> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon)
  return (await isFree(host, Number(address.slice(colon + 1)))) ? address : `${host}:0`
}

export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
