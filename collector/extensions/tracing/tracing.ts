// The hub's own spans: its API, its store and its localizer, towards any OTLP endpoint. Off unless `tracing.endpoint` is set; then
// OpenTelemetry's Node SDK is loaded, otherwise nothing of it is.
import { Otel, ScopeName } from '@longpole/model/conventions/attributes'
import { type Attributes, context, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import type { RequestHandler } from 'express'
import type { Config } from '../../../src/config/schema.ts'
import type { Store } from '../../store/store.ts'

export interface HubTracing {
  /** Runs the work in a span of its own, which ends with it and takes its error. */
  traced<T>(name: string, work: () => Promise<T>, attributes?: Attributes): Promise<T>
  /** Express middleware: one SERVER span a request, named after its route. */
  requests: RequestHandler
  /** The same store; each call that asks or writes is a CLIENT span. */
  store(store: Store): Store
  /** Sends what is left; never rejects. */
  close(): Promise<void>
}

/** A store's calls that go over the wire and are promises. */
const STORE_CALLS = [
  'insertSpans',
  'insertRecords',
  'deleteRecords',
  'insertRecordTable',
  'insertSamples',
  'insertEvents',
  'insertFindings',
  'insertVerdict',
  'requests',
  'request',
  'spansOfTraces',
  'findings',
  'events',
  'query',
  'queryArrow',
] as const satisfies readonly (keyof Store)[]

/**
 * `ownOtlp` is the address of the hub's own receiver: spans about storing spans would never end.
 * Throws where the endpoint is that one.
 */
export async function startHubTracing(settings: Config['tracing'], ownOtlp: string, version: string): Promise<HubTracing | null> {
  const { endpoint, sampleRatio } = settings
  if (endpoint === null) return null
  if (new URL(endpoint).host === ownOtlp) {
    throw new Error(`tracing.endpoint: expected another receiver than this hub's own (listen.otlpHttp), got ${endpoint}`)
  }
  const [{ NodeSDK }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  // The SDK's own variables stand above the configuration.
  process.env.OTEL_TRACES_SAMPLER ??= 'parentbased_traceidratio'
  process.env.OTEL_TRACES_SAMPLER_ARG ??= String(sampleRatio)
  const sdk = new NodeSDK({
    serviceName: ScopeName.hub,
    traceExporter: new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` }),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  })
  sdk.start()
  return createHubTracing(trace.getTracer(ScopeName.hub, version), () => sdk.shutdown().catch(() => undefined))
}

export function createHubTracing(tracer: Tracer, close: () => Promise<void>): HubTracing {
  function traced<T>(name: string, work: () => Promise<T>, attributes: Attributes = {}, kind: SpanKind = SpanKind.INTERNAL): Promise<T> {
    return tracer.startActiveSpan(name, { kind, attributes }, async (span) => {
      try {
        return await work()
      } catch (error) {
        // The message may quote a query: its kind is enough.
        span.setStatus({ code: SpanStatusCode.ERROR })
        span.setAttribute(Otel.errorType, (error as Error).name)
        throw error
      } finally {
        span.end()
      }
    })
  }

  return {
    traced: (name, work, attributes) => traced(name, work, attributes),
    requests(request, response, next) {
      const span = tracer.startSpan(request.method, { kind: SpanKind.SERVER, attributes: { [Otel.httpMethod]: request.method } })
      response.once('close', () => {
        const route: unknown = request.route?.path
        if (typeof route === 'string') {
          span.updateName(`${request.method} ${request.baseUrl}${route}`)
          span.setAttribute(Otel.httpRoute, `${request.baseUrl}${route}`)
        }
        span.setAttribute(Otel.httpStatus, response.statusCode)
        if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      })
      context.with(trace.setSpan(context.active(), span), next)
    },
    store(store) {
      const calls = STORE_CALLS.map((name) => {
        const call = store[name] as (...values: unknown[]) => Promise<unknown>
        return [name, (...values: unknown[]) => traced(`store.${name}`, () => call(...values), {}, SpanKind.CLIENT)]
      })
      return { ...store, ...Object.fromEntries(calls) }
    },
    close,
  }
}
