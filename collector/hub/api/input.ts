// Reads query parameters. Anything that is not understood is refused by name: a misspelt filter must not look like an answer.
import { LIST_LIMIT } from '@longpole/model/api'
import type { Request } from 'express'
import { badInput } from './problem.ts'

export type Query = ReadonlyMap<string, readonly string[]>

/** All parameters; each may be given several times. Throws for one that is not among `known`. */
export function readQuery(request: Request, known: ReadonlySet<string>): Query {
  const url = new URL(request.originalUrl, 'http://hub')
  const query = new Map<string, string[]>()
  for (const [name, value] of url.searchParams) {
    if (!known.has(name)) throw badInput(name, `one of the parameters ${[...known].join(', ')}`, name)
    query.set(name, [...(query.get(name) ?? []), value])
  }
  return query
}

export function one(query: Query, name: string): string | undefined {
  const values = query.get(name)
  if (values !== undefined && values.length > 1) throw badInput(name, 'one value', values)
  return values?.[0]
}

export function readChoice<const Choice extends string>(query: Query, name: string, choices: readonly Choice[]): Choice | undefined {
  const value = one(query, name)
  if (value === undefined) return undefined
  const choice = choices.find((candidate) => candidate === value)
  if (choice === undefined) throw badInput(name, `one of ${choices.join(', ')}`, value)
  return choice
}

export function readLimit(query: Query, fallback = 100, most = LIST_LIMIT): number {
  return readWhole(query, 'limit', 1, most) ?? fallback
}

export function readWhole(query: Query, name: string, least: number, most: number): number | undefined {
  const value = one(query, name)
  if (value === undefined) return undefined
  if (!/^\d{1,9}$/.test(value) || Number(value) < least || Number(value) > most) {
    throw badInput(name, `a whole number from ${least} to ${most}`, value)
  }
  return Number(value)
}

export function readInstant(query: Query, name: string): bigint | undefined {
  const value = one(query, name)
  return value === undefined ? undefined : parseInstant(name, value)
}

const EXPECTED_INSTANT = 'Unix seconds, Unix nanoseconds or RFC 3339'
const RFC_3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/i
const MAX_NANOS = 9_223_372_036_854_775_807n

/** Nanoseconds since the epoch, at most what the store holds (year 2262). Up to 10 digits are seconds, from 16 on nanoseconds. */
export function parseInstant(key: string, value: unknown): bigint {
  const nanos = nanosOf(typeof value === 'number' ? String(value) : value)
  if (nanos === null || nanos > MAX_NANOS || nanos < -MAX_NANOS) throw badInput(key, EXPECTED_INSTANT, value)
  return nanos
}

function nanosOf(text: unknown): bigint | null {
  if (typeof text !== 'string') return null
  if (/^\d{16,19}$/.test(text)) return BigInt(text)
  const seconds = /^(\d{1,10})(?:\.(\d{1,9})\d*)?$/.exec(text)
  if (seconds !== null) return BigInt(seconds[1] as string) * 1_000_000_000n + fraction(seconds[2])
  const date = RFC_3339.exec(text)
  const milliseconds = date === null ? Number.NaN : Date.parse(`${date[1]}${date[3]}`)
  return date === null || Number.isNaN(milliseconds) ? null : BigInt(milliseconds) * 1_000_000n + fraction(date[2])
}

function fraction(digits: string | undefined): bigint {
  return digits === undefined ? 0n : BigInt(digits.padEnd(9, '0'))
}
