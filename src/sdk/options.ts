// What a user of the SDK may set, and what a wrapped client resolves it to.
import { GenAi, Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import { type Attributes, type Tracer, type TracerProvider, trace } from '@opentelemetry/api'
import { VERSION } from './version.ts'

export interface InstrumentationOptions {
  /** `gen_ai.provider.name`; default `openai`. Any name is allowed, for example `vllm`. */
  provider?: string
  /** Your own dimensions, added to every request span as `longpole.dimension.<name>`: few names, few values each. */
  dimensions?: Record<string, string>
  /** Class of the tenant, one of at most 8. */
  tenantClass?: string
  clientRegion?: string
  /** Requests of a probe: kept out of objectives and findings. */
  synthetic?: boolean
  /**
   * A streamed request lasts until the caller has read it to its end (or left), and the caller's own time between reads is measured as
   * `client.consume`. Default false: it ends with its last byte, whatever the caller does with it. Iterators always do.
   */
  untilConsumed?: boolean
  /** Default: the globally registered one. */
  tracerProvider?: TracerProvider
}

/** Most dimensions kept; further ones are left out. */
const DIMENSION_LIMIT = 16
const VALUE_LIMIT = 128

export interface Instrumentation {
  readonly tracer: Tracer
  /** On every request span. */
  readonly attributes: Attributes
  readonly untilConsumed: boolean
}

/** Throws on a wrong option, naming it: this is configuration, read once at start. */
export function resolveOptions(options: InstrumentationOptions, sdk: string): Instrumentation {
  const attributes: Attributes = {
    [Longpole.vantage]: 'client',
    [Longpole.role]: 'request',
    [Longpole.sdk]: sdk,
    [GenAi.providerName]: textOption('provider', options.provider) ?? 'openai',
  }
  const tenantClass = textOption('tenantClass', options.tenantClass)
  if (tenantClass !== undefined) attributes[Longpole.tenantClass] = tenantClass
  const clientRegion = textOption('clientRegion', options.clientRegion)
  if (clientRegion !== undefined) attributes[Longpole.clientRegion] = clientRegion
  if (options.synthetic === true) attributes[Longpole.synthetic] = true
  for (const [name, value] of Object.entries(options.dimensions ?? {}).slice(0, DIMENSION_LIMIT)) {
    attributes[Longpole.dimensionPrefix + name] = textOption(`dimensions.${name}`, value) as string
  }
  const tracer = (options.tracerProvider ?? trace).getTracer(ScopeName.sdk, VERSION)
  return { tracer, attributes, untilConsumed: options.untilConsumed === true }
}

function textOption(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`@longpole/sdk: option ${key}: expected a non-empty string, got ${typeof value}`)
  return value.slice(0, VALUE_LIMIT)
}
