import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-checkpoint-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('an instant comes back as it was, to the nanosecond', async () => {
  const file = join(directory, 'deeper', 'checkpoint.json')
  await writeCheckpoint(file, 1_790_000_000_123_456_789n)
  await writeCheckpoint(file, 1_790_000_000_123_456_790n)
  expect(readCheckpoint(file)).toBe(1_790_000_000_123_456_790n)
})

test.each(['', '{', '{"replayFromUnixNano":5}', '{"replayFromUnixNano":"-1"}', 'null', '[]'])(
  'a file that is broken (%s) is as good as none',
  (text) => {
    const file = join(directory, 'broken.json')
    writeFileSync(file, text)
    expect(readCheckpoint(file)).toBeNull()
    expect(readCheckpoint(join(directory, 'missing.json'))).toBeNull()
  },
)
