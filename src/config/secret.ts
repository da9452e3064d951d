// Secrets in the configuration: which keys hold them and how they look when the configuration is shown.

/** Keys whose values are never printed, served or logged; a map under one of them keeps its keys. */
const SECRET_KEYS = new Set(['tokens', 'token', 'password', 'key', 'headers'])
export const MASK = '********'

/** A copy of a configuration with every secret replaced, fit for printing and for the API. */
export function maskSecrets<T>(value: T): T {
  return mask(value, false) as T
}

function mask(value: unknown, secret: boolean): unknown {
  if (Array.isArray(value)) return value.map((entry) => mask(entry, secret))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mask(entry, secret || SECRET_KEYS.has(key))]))
  }
  if (value === null || value === undefined || value === '') return value
  if (secret) return MASK
  return typeof value === 'string' ? maskUserInfo(value) : value
}

/** An address may carry a password too. */
function maskUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/i, `$1${MASK}@`)
}
