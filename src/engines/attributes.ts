// Reading attributes and resources of foreign spans: wrong types are unknown, never coerced into a wrong number.
import { Longpole, Otel } from '@longpole/model/conventions/attributes'
import type { RequestColumns } from '@longpole/model/request-columns'
import type { Attributes, Span } from '@longpole/model/span'

/** A finite number, also where the sender wrote it as an integer or as text; null otherwise. */
export function numberOf(attributes: Attributes, key: string): number | null {
  const value = attributes[key]
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string' && value.length < 40 && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return Number(value)
  return null
}

/** A whole number, not negative. */
export function countOf(attributes: Attributes, key: string): number | null {
  const value = numberOf(attributes, key)
  return value !== null && value >= 0 ? Math.round(value) : null
}

/** Seconds, not negative: a negative duration is unknown. */
export function secondsOf(attributes: Attributes, key: string): number | null {
  const value = numberOf(attributes, key)
  return value !== null && value >= 0 ? value : null
}

/** Non-empty text of at most 256 characters; null otherwise. */
export function textOf(attributes: Attributes, key: string): string | null {
  const value = attributes[key]
  return typeof value === 'string' && value !== '' ? value.slice(0, 256) : null
}

/** The first of a list (`gen_ai.response.finish_reasons`), also where the sender wrote the list as JSON text. */
export function firstTextOf(attributes: Attributes, key: string): string | null {
  const value = attributes[key]
  if (Array.isArray(value)) return typeof value[0] === 'string' ? value[0] : null
  if (typeof value !== 'string') return null
  const quoted = /^\[\s*"([^"\\]{1,64})"/.exec(value)
  if (quoted) return quoted[1] as string
  return value === '' || value.startsWith('[') ? null : value.slice(0, 64)
}

/** What is read of a resource, once: the spans of a batch share it by reference. */
interface Origin {
  clock: string | null
  place: Partial<RequestColumns> | null
}

const origins = new WeakMap<Attributes, Origin>()

function originOf(resource: Attributes): Origin {
  let origin = origins.get(resource)
  if (origin === undefined) {
    origin = { clock: null, place: null }
    origins.set(resource, origin)
  }
  return origin
}

/**
 * Names the clock a span's stamps were read from: the process where it has a name of its own, else the host. Processes of one host are
 * not one clock: each anchors its monotonic clock to wall time at its own start.
 */
export function clockOf(span: Span): string {
  const origin = originOf(span.resource)
  origin.clock ??= readClock(span)
  return origin.clock
}

function readClock({ resource, scopeName }: Span): string {
  const instance = textOf(resource, Otel.serviceInstanceId) ?? textOf(resource, Otel.k8sPodName)
  const host = textOf(resource, Otel.hostName) ?? textOf(resource, Otel.k8sNodeName) ?? textOf(resource, Longpole.node)
  const process = resource[Otel.processPid]
  const name = instance ?? (host === null ? '' : `${host}/${typeof process === 'number' || typeof process === 'bigint' ? process : ''}`)
  return `${textOf(resource, Otel.serviceName) ?? scopeName}/${name}`
}

const PLACES = [
  ['cluster', Longpole.cluster, Otel.k8sClusterName],
  ['region', Longpole.region, Otel.cloudRegion],
  ['zone', Longpole.zone, Otel.cloudAvailabilityZone],
  ['node', Longpole.node, Otel.k8sNodeName],
  ['replica', Longpole.replica, Otel.k8sPodName],
  ['pool', Longpole.pool, null],
  ['ep_group', Longpole.epGroup, null],
  ['rank', Longpole.rank, null],
  ['gpu_type', Longpole.gpuType, null],
  ['revision', Longpole.revision, null],
] as const

/** Where an engine runs, from its resource: our own keys first, OpenTelemetry's second. */
export function placeOf(resource: Attributes): Readonly<Partial<RequestColumns>> {
  const origin = originOf(resource)
  origin.place ??= readPlace(resource)
  return origin.place
}

function readPlace(resource: Attributes): Partial<RequestColumns> {
  const columns: Partial<RequestColumns> = {}
  for (const [column, own, standard] of PLACES) {
    const value = textOf(resource, own) ?? (standard === null ? null : textOf(resource, standard))
    if (value !== null) columns[column] = value
  }
  return columns
}

const OWN_PLACES: ReadonlyMap<string, (typeof PLACES)[number][0]> = new Map(PLACES.map(([column, own]) => [own, column]))

/** The same of a span's own attributes, our own keys only, into `columns`. */
export function readOwnPlace(attributes: Attributes, columns: Partial<RequestColumns>): void {
  for (const key in attributes) {
    const column = OWN_PLACES.get(key)
    const value = column === undefined ? null : textOf(attributes, key)
    if (column !== undefined && value !== null) columns[column] = value
  }
}
