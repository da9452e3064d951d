// From the tenant as a request names it to what is kept of it: a keyed hash, which only this installation can make, and a class.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface TenantConfig {
  key: string | null
  keyFile: string | null
  /** Class → tenants as in the header. */
  classes: Readonly<Record<string, readonly string[]>>
  defaultClass: string
}

export interface Tenant {
  /** 12 hexadecimal digits of the keyed hash; null without a key: a plain hash of a short name could be undone by trying. */
  tenant: string | null
  tenantClass: string
}

export interface Tenants {
  /** Of the header's value; null where the request names no tenant. */
  identify(value: string | null | undefined): Tenant | null
}

const HASH_DIGITS = 12
/** Hashes kept, so that a busy tenant is not hashed again for every request. */
const MAX_CACHED = 10_000
const MIN_KEY_LENGTH = 32

/** Throws where the file of the key cannot be read or the key is too short. */
export function createTenants({ key, keyFile, classes, defaultClass }: TenantConfig): Tenants {
  const secret = keyFile === null ? key : readKey(keyFile)
  const classOf = new Map(Object.entries(classes).flatMap(([name, tenants]) => tenants.map((tenant): [string, string] => [tenant, name])))
  const cache = new Map<string, Tenant>()

  return {
    identify(value) {
      if (value === null || value === undefined || value === '') return null
      const cached = cache.get(value)
      if (cached !== undefined) return cached
      const hash = secret === null ? null : createHmac('sha256', secret).update(value).digest('hex').slice(0, HASH_DIGITS)
      const tenant: Tenant = { tenant: hash, tenantClass: classOf.get(value) ?? defaultClass }
      if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value as string)
      cache.set(value, tenant)
      return tenant
    },
  }
}

function readKey(file: string): string {
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(`tenants.keyFile: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  if (key.length < MIN_KEY_LENGTH)
    throw new Error(`tenants.keyFile: ${file}: expected at least ${MIN_KEY_LENGTH} characters, got ${key.length}`)
  return key
}
