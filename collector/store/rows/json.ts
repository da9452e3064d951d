// JSON text for attribute values and lists: as JSON.stringify, with the two kinds of values that JSON has not.

/** A whole number beyond 2^53, and bytes: written as an object with this one key. */
const INTEGER_KEY = '$int'
const BYTES_KEY = '$bytes'

export function stringifyJson(value: unknown): string {
  return needsReplacer(value) ? JSON.stringify(value, replace) : JSON.stringify(value)
}

export function parseJson(text: string): unknown {
  return text.includes('"$') ? JSON.parse(text, revive) : JSON.parse(text)
}

/** A replacer makes JSON.stringify several times slower, and hardly any span needs it. */
function needsReplacer(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  if (value === null || typeof value !== 'object') return false
  if (value instanceof Uint8Array) return true
  for (const key in value) if (needsReplacer((value as Record<string, unknown>)[key])) return true
  return false
}

function replace(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { [INTEGER_KEY]: value.toString() }
  // A Buffer has become an object by its own toJSON before it comes here.
  const original = (this as Record<string, unknown>)[key]
  if (original instanceof Uint8Array) return { [BYTES_KEY]: Buffer.from(original).toString('base64') }
  return value
}

function revive(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  const { [INTEGER_KEY]: integer, [BYTES_KEY]: bytes, ...rest } = value as Record<string, unknown>
  if (Object.keys(rest).length > 0) return value
  if (typeof integer === 'string' && /^-?\d+$/.test(integer)) return BigInt(integer)
  if (typeof bytes === 'string') return new Uint8Array(Buffer.from(bytes, 'base64'))
  return value
}
