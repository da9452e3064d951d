// The files beside a table: engine samples and change events, as NDJSON in the product's own shapes.
import { existsSync } from 'node:fs'
import { CHANGE_KINDS, type ChangeEvent, type ChangeKind } from '@longpole/model/change-event'
import { type EngineSample, emptySample } from '@longpole/model/engine-sample'
import { InputError } from '../input-error.ts'
import { parseInstant, unixSeconds } from './instant.ts'
import { readLines } from './ndjson.ts'

export async function readSamples(file: string): Promise<EngineSample[]> {
  requireFile(file, '--samples')
  const samples: EngineSample[] = []
  for await (const { value, line } of readLines(file)) {
    const where = `${file}:${line}`
    if (typeof value.replica !== 'string')
      throw new InputError(`${where}: replica: expected a string, got ${JSON.stringify(value.replica)}`)
    const sample = emptySample(value.replica, nanos(value, where))
    samples.push(Object.assign(sample, value, { unix_ns: sample.unix_ns }))
  }
  return samples
}

export async function readEvents(file: string): Promise<ChangeEvent[]> {
  requireFile(file, '--events')
  const events: ChangeEvent[] = []
  for await (const { value, line } of readLines(file)) {
    const where = `${file}:${line}`
    const kind = CHANGE_KINDS.includes(value.kind as ChangeKind) ? (value.kind as ChangeKind) : 'note'
    events.push({
      id: String(value.id ?? `${line}`),
      kind,
      unix_ns: nanos(value, where),
      scope: scopeOf(value.scope, where),
      title: String(value.title ?? kind),
      source: String(value.source ?? 'file'),
      from_value: typeof value.from_value === 'string' ? value.from_value : null,
      to_value: typeof value.to_value === 'string' ? value.to_value : null,
    })
  }
  return events
}

function scopeOf(scope: unknown, where: string): Record<string, string[]> {
  if (scope === undefined || scope === null) return {}
  if (typeof scope !== 'object' || Array.isArray(scope))
    throw new InputError(`${where}: scope: expected an object of dimensions, got ${JSON.stringify(scope)}`)
  return Object.fromEntries(
    Object.entries(scope).map(([name, values]) => [name, Array.isArray(values) ? values.map(String) : [String(values)]]),
  )
}

function nanos(value: Record<string, unknown>, where: string): bigint {
  const raw = value.unix_ns ?? value.time ?? value.at
  if (raw === undefined || raw === null) throw new InputError(`${where}: unix_ns: expected an instant, got nothing`)
  if (typeof raw === 'string' && /^\d{16,}$/.test(raw)) return BigInt(raw)
  return BigInt(Math.round(unixSeconds(parseInstant(raw, `${where}: unix_ns`)) * 1e6)) * 1000n
}

function requireFile(file: string, key: string): void {
  if (!existsSync(file)) throw new InputError(`${key}: no such file ${file}`)
}
