// From where a restarted hub must correlate again: the first receive time of the oldest span that is in no written record yet, kept in
// a small file. Without it (or with a broken one) the last quarter of an hour is taken, which is only slower.
import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export function readCheckpoint(file: string): bigint | null {
  try {
    const { replayFromUnixNano } = JSON.parse(readFileSync(file, 'utf8'))
    return typeof replayFromUnixNano === 'string' && /^\d{1,19}$/.test(replayFromUnixNano) ? BigInt(replayFromUnixNano) : null
  } catch {
    return null
  }
}

/** Replaces the file whole, so that a crash leaves the old one or the new one. A slow disk holds up nobody else. */
export async function writeCheckpoint(file: string, replayFromUnixNano: bigint): Promise<void> {
  const next = `${file}.next`
  await mkdir(dirname(file), { recursive: true })
  await writeFile(next, JSON.stringify({ replayFromUnixNano: replayFromUnixNano.toString() }))
  await rename(next, file)
}
