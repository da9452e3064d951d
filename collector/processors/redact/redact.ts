// Takes content and secrets out of spans and log records before anything is stored or forwarded. An allow-list: what it does not
// name is left out and counted. Tenants and sessions become keyed hashes; texts of errors, statuses and bodies are never kept.
import { Longpole, Otel } from '@longpole/model/conventions/attributes'
import type { Attributes, AttributeValue, Span, SpanEvent, SpanLink } from '@longpole/model/span'
import { EVENT_NAMES, HASHED_ATTRIBUTES, NUMBER_ATTRIBUTES, NUMBER_FAMILIES, TEXT_ATTRIBUTES, URL_ATTRIBUTES } from './allowed.ts'
import { REDACTED, safeClass, safeText, safeUrl } from './text.ts'

export interface RedactSettings {
  /** A tenant's keyed hash (null without a key: then it is not kept at all) and class; see extensions/tenant. Sessions use the same key. */
  identify(value: string): { tenant: string | null; tenantClass: string } | null
  /** Attributes that become dimensions of requests. */
  dimensions: readonly string[]
  /** Told for everything that was left out. */
  onDropped(reason: DropReason, count: number): void
}

export type DropReason = 'not_allowed' | 'content' | 'secret' | 'tenant_without_key'

export interface Redactor {
  /** The span without content; resources that several spans share stay shared. */
  span(span: Span): Span
  attributes(attributes: Attributes): Attributes
  /** The same, once for each object. */
  resource(resource: Attributes): Attributes
}

type Rule = 'text' | 'url' | 'class' | 'number' | 'hash' | 'dimension' | 'drop'

/** What becomes of a text by its rule; one that is a number is kept as it is. */
const SAFE = { text: safeText, number: safeText, url: safeUrl, class: safeClass } as const

const CLASSES: ReadonlySet<string> = new Set([Otel.errorType, Longpole.errorClass, 'exception.type'])
const MAX_LIST = 256
const MAX_RULES = 10_000

export function createRedactor({ identify, dimensions, onDropped }: RedactSettings): Redactor {
  const rules = new Map<string, Rule>()
  const wanted = new Set(dimensions)
  const resources = new WeakMap<Attributes, Attributes>()

  function ruleOf(name: string): Rule {
    let rule = rules.get(name)
    if (rule === undefined) {
      rule = decide(name)
      if (rules.size < MAX_RULES) rules.set(name, rule)
    }
    return rule
  }

  function decide(name: string): Rule {
    if (HASHED_ATTRIBUTES.has(name)) return 'hash'
    if (wanted.has(name)) return 'dimension'
    if (CLASSES.has(name)) return 'class'
    if (URL_ATTRIBUTES.has(name)) return 'url'
    if (TEXT_ATTRIBUTES.has(name)) return 'text'
    if (name.startsWith(Longpole.dimensionPrefix) && /^[a-z][a-z0-9_.]{0,62}$/.test(name.slice(Longpole.dimensionPrefix.length)))
      return 'text'
    if (!/^[a-z][a-z0-9_.]{0,100}$/.test(name)) return 'drop'
    return NUMBER_ATTRIBUTES.has(name) || NUMBER_FAMILIES.some((family) => name.startsWith(family)) ? 'number' : 'drop'
  }

  function attributesOf(attributes: Attributes): Attributes {
    return isClean(attributes) ? attributes : cleaned(attributes)
  }

  /** Whether all of it may be kept as it is, which is the rule: then nothing is copied. */
  function isClean(attributes: Attributes): boolean {
    for (const name in attributes) {
      const value = attributes[name]
      const rule = ruleOf(name)
      if (rule === 'drop' || rule === 'hash' || rule === 'dimension' || typeof value === 'object') return false
      if (typeof value === 'string' && (rule === 'number' ? !isNumber(value) : SAFE[rule](value) !== value)) return false
    }
    return true
  }

  function cleaned(attributes: Attributes): Attributes {
    const kept: Attributes = {}
    let dropped = 0
    for (const name in attributes) {
      const value = attributes[name] as AttributeValue
      const rule = ruleOf(name)
      if (rule === 'drop' || (rule === 'number' && !isNumber(value))) {
        dropped++
        continue
      }
      if (rule === 'hash') hashInto(kept, name, value)
      else if (rule === 'dimension') keep(kept, `${Longpole.dimensionPrefix}${name}`, value, safeText)
      else keep(kept, name, value, SAFE[rule])
    }
    if (dropped > 0) onDropped('not_allowed', dropped)
    return kept
  }

  function keep(kept: Attributes, name: string, value: AttributeValue, make: (text: string) => string): void {
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') kept[name] = value
    else if (typeof value === 'string') {
      const safe = make(value)
      if (safe === REDACTED) onDropped('secret', 1)
      kept[name] = safe
    } else if (Array.isArray(value)) {
      kept[name] = value.slice(0, MAX_LIST).flatMap((entry): AttributeValue[] => {
        if (typeof entry === 'string') return [make(entry)]
        return typeof entry === 'number' || typeof entry === 'boolean' ? [entry] : []
      })
    } else onDropped('content', 1)
  }

  /** `tenant` and `session` as keyed hashes; the tenant's class, which is configured, as it is. */
  function hashInto(kept: Attributes, name: string, value: AttributeValue): void {
    if (typeof value !== 'string' && typeof value !== 'number') return
    const identity = identify(String(value))
    if (identity === null) return
    const target = HASHED_ATTRIBUTES.get(name) as string
    if (target === Longpole.tenant) kept[Longpole.tenantClass] ??= identity.tenantClass
    if (identity.tenant === null) onDropped('tenant_without_key', 1)
    else kept[target] ??= identity.tenant
  }

  function resourceOf(resource: Attributes): Attributes {
    let kept = resources.get(resource)
    if (kept === undefined) {
      kept = attributesOf(resource)
      resources.set(resource, kept)
    }
    return kept
  }

  function eventsOf(events: readonly SpanEvent[]): SpanEvent[] {
    const kept: SpanEvent[] = []
    for (const event of events) {
      if (!EVENT_NAMES.has(event.name)) continue
      kept.push({ name: event.name, timeUnixNano: event.timeUnixNano, attributes: attributesOf(event.attributes) })
    }
    if (kept.length < events.length) onDropped('content', events.length - kept.length)
    return kept
  }

  function linksOf(links: readonly SpanLink[]): SpanLink[] {
    return links.map(({ traceId, spanId, attributes }) => ({ traceId, spanId, attributes: attributesOf(attributes) }))
  }

  return {
    attributes: attributesOf,
    resource: resourceOf,
    span(span) {
      if (span.statusMessage !== '') onDropped('content', 1)
      const clean = {
        name: safeUrl(span.name),
        traceState: onlyOt(span.traceState),
        attributes: attributesOf(span.attributes),
        events: span.events.length === 0 ? span.events : eventsOf(span.events),
        links: span.links.length === 0 ? span.links : linksOf(span.links),
        statusMessage: '',
        resource: resourceOf(span.resource),
        scopeName: safeText(span.scopeName),
        scopeVersion: safeText(span.scopeVersion),
      }
      return isSame(span, clean) ? span : { ...span, ...clean }
    },
  }
}

function isSame(span: Span, clean: Partial<Span>): boolean {
  for (const key in clean) if (clean[key as keyof Span] !== span[key as keyof Span]) return false
  return true
}

/** Also one that was written as text, as some gateways do. */
function isNumber(value: AttributeValue): boolean {
  if (typeof value === 'string') return value.length <= 24 && /^-?\d+(\.\d+)?$/.test(value)
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
}

/** Of the tracestate only OpenTelemetry's own entry (sampling threshold): others may carry anything. */
function onlyOt(traceState: string): string {
  if (traceState === '') return ''
  const entry = traceState
    .split(',')
    .map((part) => part.trim())
    .find((part) => part.startsWith('ot='))
  return entry !== undefined && /^ot=[a-z0-9:;.-]{1,128}$/.test(entry) ? entry : ''
}
