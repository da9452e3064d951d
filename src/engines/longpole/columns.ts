// Columns that our own spans carry as attributes: the SDK's of the logical request, the sidecar's of the exchange.
import { GenAi, Longpole, Otel } from '@longpole/model/conventions/attributes'
import type { RequestColumns } from '@longpole/model/request-columns'
import { OUTCOMES, promptClass } from '@longpole/model/request-record'
import type { Attributes, Span } from '@longpole/model/span'
import { countOf, firstTextOf, placeOf, readOwnPlace, secondsOf, textOf } from '../attributes.ts'
import { readFingerprint } from '../vllm/fingerprint.ts'

const MAX_DIMENSIONS = 16
const MAX_DIMENSION_LENGTH = 128

const TEXTS = [
  ['request_id', Longpole.requestId],
  ['model', GenAi.requestModel],
  ['engine', Longpole.engine],
  ['engine_version', Longpole.engineVersion],
  ['adapter', Longpole.adapter],
  ['output_mode', Longpole.outputMode],
  ['tenant', Longpole.tenant],
  ['tenant_class', Longpole.tenantClass],
  ['session', Longpole.session],
  ['client_region', Longpole.clientRegion],
  ['error_class', Longpole.errorClass],
  ['sdk', Longpole.sdk],
  ['sdk_version', Longpole.sdkVersion],
] as const

const COUNTS = [
  ['prompt_tokens', GenAi.usageInputTokens],
  ['cached_tokens', GenAi.usageCacheReadInputTokens],
  ['output_tokens', GenAi.usageOutputTokens],
  ['reasoning_tokens', GenAi.usageReasoningOutputTokens],
  ['max_tokens', GenAi.requestMaxTokens],
  ['http_status', Otel.httpStatus],
  ['chunks', Longpole.chunks],
  ['attempts', Longpole.attempts],
] as const

const SECONDS = [
  ['ttft', Longpole.firstTokenAt],
  ['ttfr', Longpole.firstReasoningAt],
  ['ttfa', Longpole.firstAnswerAt],
  ['itl_max', Longpole.gapMax],
] as const

/** Stamps of the boundaries, in seconds from the start of the span. */
const STAMPS = [
  ['received', Longpole.receivedAt],
  ['connected', Longpole.connectedAt],
  ['sent', Longpole.sentAt],
  ['headers', Longpole.headersAt],
  ['firstToken', Longpole.firstTokenAt],
  ['firstTokenOut', Longpole.firstTokenOutAt],
  ['lastToken', Longpole.lastTokenAt],
] as const

type TextColumn = (typeof TEXTS)[number][0]
type NumberColumn = (typeof COUNTS)[number][0] | (typeof SECONDS)[number][0]
export type Stamps = Partial<Record<(typeof STAMPS)[number][0], number>>

/** What an attribute is read as: nearly every span has few of them, so they are looked up by name and not asked for one by one. */
interface Reading {
  text?: TextColumn
  count?: NumberColumn
  seconds?: NumberColumn
  stamp?: keyof Stamps
}

const READINGS: ReadonlyMap<string, Reading> = (() => {
  const readings = new Map<string, Reading>()
  const add = (key: string, reading: Reading) => readings.set(key, { ...readings.get(key), ...reading })
  for (const [text, key] of TEXTS) add(key, { text })
  for (const [count, key] of COUNTS) add(key, { count })
  for (const [seconds, key] of SECONDS) add(key, { seconds })
  for (const [stamp, key] of STAMPS) add(key, { stamp })
  return readings
})()

const textsOfResource = new WeakMap<Attributes, Partial<RequestColumns>>()

/** Texts that stand in the resource: they hold where the span itself says nothing. The spans of a batch share it. */
function readResource(resource: Attributes): Partial<RequestColumns> {
  let columns = textsOfResource.get(resource)
  if (columns === undefined) {
    columns = {}
    for (const [column, key] of TEXTS) {
      const value = textOf(resource, key)
      if (value !== null) columns[column] = value
    }
    textsOfResource.set(resource, columns)
  }
  return columns
}

/** Only what the span says: unknown columns and stamps are absent. */
export function readSpan({ attributes, resource }: Span): { columns: Partial<RequestColumns>; stamps: Stamps } {
  const columns: Partial<RequestColumns> = { ...placeOf(resource) }
  const stamps: Stamps = {}
  readOwnPlace(attributes, columns)
  const fingerprint = textOf(attributes, Otel.systemFingerprint)
  if (fingerprint !== null) Object.assign(columns, readFingerprint(fingerprint))
  Object.assign(columns, readResource(resource))
  for (const key in attributes) {
    const reading = READINGS.get(key)
    if (reading === undefined) continue
    if (reading.text !== undefined) {
      const value = textOf(attributes, key)
      if (value !== null) columns[reading.text] = value
    }
    if (reading.count !== undefined) {
      const value = countOf(attributes, key)
      if (value !== null) columns[reading.count] = value
    }
    if (reading.seconds === undefined && reading.stamp === undefined) continue
    const seconds = secondsOf(attributes, key)
    if (seconds === null) continue
    if (reading.seconds !== undefined) columns[reading.seconds] = seconds
    if (reading.stamp !== undefined) stamps[reading.stamp] = seconds
  }
  readOutcome(attributes, columns)
  return { columns, stamps }
}

export function readColumns(span: Span): Partial<RequestColumns> {
  return readSpan(span).columns
}

function readOutcome(attributes: Attributes, columns: Partial<RequestColumns>): void {
  const route = textOf(attributes, Otel.httpRoute) ?? textOf(attributes, Otel.urlPath)
  if (route !== null) columns.route = route
  const finish = firstTextOf(attributes, GenAi.responseFinishReasons)
  if (finish !== null) columns.finish_reason = finish
  const outcome = OUTCOMES.find((known) => known === attributes[Longpole.outcome])
  if (outcome !== undefined) columns.outcome = outcome
  if (attributes[Longpole.synthetic] === true) columns.synthetic = true
  const gaps = readHistogram(attributes)
  if (gaps !== null) columns.itl = gaps
  if (columns.prompt_tokens !== undefined) columns.prompt_class = promptClass(columns.prompt_tokens)
}

/** `index:count` strings → map, entries of another shape left out. */
function readHistogram(attributes: Attributes): Record<string, number> | null {
  const entries = attributes[Longpole.gapHistogram]
  if (!Array.isArray(entries)) return null
  const histogram: Record<string, number> = {}
  for (const entry of entries) {
    const match = typeof entry === 'string' ? /^(-?\d{1,6}):(\d{1,12})$/.exec(entry) : null
    if (match) histogram[match[1] as string] = Number(match[2])
  }
  return histogram
}

/** The user's own dimensions, at most 16 of 128 characters; null where there are none. */
export function readDimensions(attributes: Attributes): Record<string, string> | null {
  let dimensions: Record<string, string> | null = null
  let count = 0
  for (const key in attributes) {
    if (!key.startsWith(Longpole.dimensionPrefix) || count >= MAX_DIMENSIONS) continue
    const name = key.slice(Longpole.dimensionPrefix.length)
    const value = attributes[key]
    if (name === '' || !['string', 'number', 'boolean'].includes(typeof value)) continue
    dimensions ??= {}
    dimensions[name] = String(value).slice(0, MAX_DIMENSION_LENGTH)
    count++
  }
  return dimensions
}
