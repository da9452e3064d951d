// Instants as people and files write them: Unix seconds, milliseconds, microseconds or nanoseconds, or RFC 3339.
import { InputError } from '../input-error.ts'

/** A number as it is (scaled later by scaleInstants), or RFC 3339 as Unix seconds. Nanoseconds keep microsecond accuracy. */
export function parseInstant(value: unknown, key: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.getTime() / 1000
  const text = String(value).trim()
  if (/^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text)
  const parsed = Date.parse(text.includes('T') || text.includes(' ') ? text.replace(' ', 'T') : text)
  if (!/^\d{4}-\d{2}/.test(text) || Number.isNaN(parsed)) {
    throw new InputError(`${key}: expected Unix seconds or an RFC 3339 time, got ${JSON.stringify(text)}`)
  }
  return parsed / 1000
}

/** Unix seconds, by the size of the numbers: beyond 1e17 nanoseconds, 1e14 microseconds, 1e11 milliseconds. */
export function unixSeconds(value: number): number {
  const size = Math.abs(value)
  if (size > 1e17) return value / 1e9
  if (size > 1e14) return value / 1e6
  if (size > 1e11) return value / 1e3
  return value
}

export function scaleInstants(times: Float64Array): Float64Array {
  let largest = 0
  for (let row = 0; row < times.length; row++) if (Math.abs(times[row] as number) > largest) largest = Math.abs(times[row] as number)
  const factor = largest === 0 ? 1 : unixSeconds(largest) / largest
  return factor === 1 ? times : times.map((value) => value * factor)
}

/** `FROM..TO`. */
export function parseWindow(text: string, key: string): { from: number; to: number } {
  const parts = text.split('..')
  if (parts.length !== 2 || parts[0] === '' || parts[1] === '') {
    throw new InputError(`${key}: expected FROM..TO (Unix seconds or RFC 3339), got ${JSON.stringify(text)}`)
  }
  const from = unixSeconds(parseInstant(parts[0], key))
  const to = unixSeconds(parseInstant(parts[1], key))
  if (!(to > from)) throw new InputError(`${key}: expected an end after the beginning, got ${JSON.stringify(text)}`)
  return { from, to }
}
