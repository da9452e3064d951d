// Sends OTLP bodies to a hub and counts what it said of them.

import { Longpole, SampleMetric, ScopeName } from '@longpole/model/conventions/attributes'
import type { EngineSample } from '@longpole/model/engine-sample'
import { type SAMPLE_NAMES, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import type { Attributes } from '@longpole/model/span'
import { encodeMetrics } from '../../wire/otlp/encode.ts'
import type { NumberPoint } from '../../wire/otlp/signals.ts'
import { InputError } from '../input-error.ts'
import type { Signal } from './capture.ts'

export interface HubAddress {
  /** Base of the OTLP/HTTP receiver, for example http://127.0.0.1:4318. */
  url: string
  token?: string | undefined
}

/** Null when the hub took the body whole; else what it said. Throws InputError when nobody answers there. */
export async function sendBody(hub: HubAddress, signal: Signal, contentType: string, body: Uint8Array): Promise<string | null> {
  const headers: Record<string, string> = { 'content-type': contentType }
  if (hub.token !== undefined) headers.authorization = `Bearer ${hub.token}`
  let response: Response
  try {
    response = await fetch(new URL(`/v1/${signal}`, hub.url), { method: 'POST', headers, body: new Uint8Array(body) })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new InputError(`replay: --hub ${hub.url}: expected an OTLP receiver, got ${cause}. Start one with \`longpole hub\`.`)
  }
  const text = await response.text()
  return response.ok ? null : `HTTP ${response.status} ${text.slice(0, 200)}`
}

const LABELS = {
  replica: Longpole.replica,
  rank: Longpole.rank,
  model: Longpole.model,
  pool: Longpole.pool,
  cluster: Longpole.cluster,
  region: Longpole.region,
  engine: Longpole.engine,
  engine_version: Longpole.engineVersion,
} as const satisfies Partial<Record<(typeof SAMPLE_NAMES)[number], string>>

/** Samples as the sidecar sends them: one gauge, one point a number and rank; unknown numbers have no point. */
export function encodeSamples(samples: readonly EngineSample[]): Uint8Array {
  const points = samples.flatMap((sample): NumberPoint[] => {
    const common: Attributes = {}
    for (const [column, key] of Object.entries(LABELS)) {
      const value = sample[column as keyof typeof LABELS]
      if (value !== null) common[key] = value
    }
    const point = (field: string, value: number): NumberPoint => ({
      attributes: { ...common, [SampleMetric.field]: field },
      timeUnixNano: sample.unix_ns,
      value,
    })
    const numbers = SAMPLE_NUMBERS.flatMap((field) => {
      const value = sample[field]
      return value === null ? [] : [point(field, value)]
    })
    return [point('up', sample.up ? 1 : 0), ...numbers]
  })
  return encodeMetrics([
    {
      resource: { 'service.name': 'longpole-replay' },
      scopeName: ScopeName.sidecar,
      scopeVersion: '',
      name: SampleMetric.name,
      description: 'One number of one look at an engine.',
      unit: '1',
      data: { type: 'gauge', points },
    },
  ])
}
