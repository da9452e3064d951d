import { expect, test } from 'vitest'
import type { Store } from '../store/store.ts'
import { watchStore } from './store-trouble.ts'

test('a full disk is said by name from the first refusal until spans are taken again', async () => {
  let error: Error | null = null
  const inner = {
    async insertSpans() {
      if (error !== null) throw error
    },
  } as unknown as Store
  const { store, troubles } = watchStore(inner, '/var/lib/longpole')
  await store.insertSpans([])
  expect(troubles()).toEqual([])
  error = new Error('the store does not answer: ENOSPC: no space left on device, write ')
  await expect(store.insertSpans([])).rejects.toThrow('ENOSPC')
  expect(troubles()).toEqual(['no space left in /var/lib/longpole (store.data): senders are refused and come again until it does'])
  error = new Error('socket hang up')
  await expect(store.insertSpans([])).rejects.toThrow('socket')
  expect(troubles()[0]).toContain('does not take spans (socket hang up)')
  error = null
  await store.insertSpans([])
  expect(troubles()).toEqual([])
})
