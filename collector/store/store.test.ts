import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeStore } from './conformance.ts'
import { createStore, type StoreConfig } from './create-store.ts'

const directory = mkdtempSync(join(tmpdir(), 'longpole-store-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const config: StoreConfig = {
  data: directory,
  url: null,
  database: 'longpole_test',
  user: 'default',
  password: '',
  retentionDays: 36_500,
  retentionBytes: 1e9,
  memoryBytes: 1e9,
  querySeconds: 20,
  fsync: false,
}

describeStore('the embedded store', () => createStore(config, { onTrouble: (message) => console.error(message) }))

const url = process.env.LONGPOLE_TEST_STORE_URL
if (url !== undefined) describeStore(`the store at ${url}`, () => createStore({ ...config, url }))
