import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createTenants } from './tenant.ts'

const KEY = 'k'.repeat(32)
const CONFIG = { key: KEY, keyFile: null, classes: { gold: ['acme', 'umbrella'] }, defaultClass: 'default' }

test('a tenant becomes a keyed hash and a class; the name itself is nowhere in it', () => {
  const tenants = createTenants(CONFIG)
  const acme = tenants.identify('acme')
  expect(acme).toEqual({ tenant: expect.stringMatching(/^[0-9a-f]{12}$/), tenantClass: 'gold' })
  expect(tenants.identify('acme')).toEqual(acme)
  expect(tenants.identify('initech')).toEqual({ tenant: expect.stringMatching(/^[0-9a-f]{12}$/), tenantClass: 'default' })
  expect(tenants.identify('initech')?.tenant).not.toBe(acme?.tenant)
  expect(createTenants({ ...CONFIG, key: 'x'.repeat(32) }).identify('acme')?.tenant).not.toBe(acme?.tenant)
})

test('without a key no tenant is kept, only its class; without a name there is none', () => {
  const tenants = createTenants({ ...CONFIG, key: null })
  expect(tenants.identify('acme')).toEqual({ tenant: null, tenantClass: 'gold' })
  for (const nothing of [null, undefined, '']) expect(tenants.identify(nothing)).toBeNull()
})

test('more tenants than are remembered give the same hashes', () => {
  const tenants = createTenants(CONFIG)
  const first = tenants.identify('tenant-0')
  for (let index = 0; index < 10_100; index++) tenants.identify(`tenant-${index}`)
  expect(tenants.identify('tenant-0')).toEqual(first)
})

test('the key may come from a file, which must hold enough', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'longpole-tenant-')), 'key')
  expect(() => createTenants({ ...CONFIG, key: null, keyFile: file })).toThrow('cannot be read (ENOENT)')
  writeFileSync(file, 'short')
  expect(() => createTenants({ ...CONFIG, key: null, keyFile: file })).toThrow('expected at least 32 characters, got 5')
  writeFileSync(file, `${KEY}\n`)
  expect(createTenants({ ...CONFIG, key: null, keyFile: file }).identify('acme')).toEqual(createTenants(CONFIG).identify('acme'))
})
