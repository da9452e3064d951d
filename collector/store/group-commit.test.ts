import { expect, test } from 'vitest'
import { createGroupCommit } from './group-commit.ts'
import { StoreUnavailable } from './store.ts'

const SETTINGS = { maxRows: 10, maxWaiting: 30, intervalMs: 0 }

/** A write that ends when it is told to. */
function createGate() {
  const writes: { rows: number[]; end: (error?: Error) => void }[] = []
  const write = (rows: number[]) =>
    new Promise<void>((resolve, reject) => {
      writes.push({ rows, end: (error) => (error === undefined ? resolve() : reject(error)) })
    })
  return { writes, write }
}

/** Lets everything that is ready happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('what arrives during a write goes together into the next, in order', async () => {
  const { writes, write } = createGate()
  const commit = createGroupCommit(write, SETTINGS)
  const done: number[] = []
  for (const row of [1, 2, 3]) void commit.add([row]).then(() => done.push(row))
  await settle()
  expect(writes.map(({ rows }) => rows)).toEqual([[1, 2, 3]])
  void commit.add([4]).then(() => done.push(4))
  void commit.add([5, 6]).then(() => done.push(5))
  await settle()
  expect(done).toEqual([])
  writes[0]!.end()
  await settle()
  expect(done).toEqual([1, 2, 3])
  expect(writes[1]!.rows).toEqual([4, 5, 6])
  writes[1]!.end()
  await commit.idle()
  expect(done).toEqual([1, 2, 3, 4, 5])
})

test('a write that fails is told to its own callers only', async () => {
  const { writes, write } = createGate()
  const commit = createGroupCommit(write, SETTINGS)
  const first = commit.add([1])
  await settle()
  const second = commit.add([2])
  writes[0]!.end(new StoreUnavailable('no space'))
  await expect(first).rejects.toThrow('no space')
  await settle()
  writes[1]!.end()
  await expect(second).resolves.toBeUndefined()
})

test('groups are bounded, a single large caller is not split', async () => {
  const { writes, write } = createGate()
  const commit = createGroupCommit(write, SETTINGS)
  const rows = Array.from({ length: 12 }, (_, index) => index)
  const all = [commit.add(rows), commit.add([1, 2, 3, 4, 5, 6]), commit.add([1, 2, 3, 4, 5, 6])]
  for (let index = 0; index < 3; index++) {
    await settle()
    writes[index]!.end()
  }
  await Promise.all(all)
  expect(writes.map((entry) => entry.rows.length)).toEqual([12, 6, 6])
})

test('a store that is behind turns callers away at once', async () => {
  const { writes, write } = createGate()
  const commit = createGroupCommit(write, SETTINGS)
  const first = commit.add([0])
  await settle()
  const waiting = commit.add(Array.from({ length: 25 }, (_, index) => index))
  await expect(commit.add([1, 2, 3, 4, 5, 6])).rejects.toThrow(StoreUnavailable)
  writes[0]!.end()
  await settle()
  writes[1]!.end()
  await Promise.all([first, waiting])
})
