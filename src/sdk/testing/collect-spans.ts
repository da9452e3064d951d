// For tests: a real tracer provider whose finished spans can be read, with context propagation as a host would have it.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, context, ROOT_CONTEXT } from '@opentelemetry/api'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

export interface CollectedSpans {
  provider: TracerProvider
  all(): ReadableSpan[]
  /** Waits until a request span (`longpole.role` = request) has ended, `count` of them. */
  requests(count?: number): Promise<ReadableSpan[]>
  childrenOf(span: ReadableSpan): ReadableSpan[]
  reset(): void
}

export function collectSpans(): CollectedSpans {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  context.setGlobalContextManager(createContextManager())
  const requests = () => exporter.getFinishedSpans().filter((span) => span.attributes['longpole.role'] === 'request')
  return {
    provider,
    all: () => exporter.getFinishedSpans(),
    async requests(count = 1) {
      for (const deadline = performance.now() + 10_000; requests().length < count; ) {
        if (performance.now() > deadline) throw new Error(`${requests().length} of ${count} request spans ended`)
        await new Promise((resolve) => setImmediate(resolve))
      }
      return requests()
    },
    childrenOf: (span) => exporter.getFinishedSpans().filter((child) => child.parentSpanContext?.spanId === span.spanContext().spanId),
    reset: () => exporter.reset(),
  }
}

function createContextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>()
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, call, thisArg, ...args) => storage.run(active, () => Reflect.apply(call, thisArg, args)),
    bind: (_context, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager
}

export function seconds(time: readonly [number, number]): number {
  return time[0] + time[1] / 1e9
}

export function durationOf(span: ReadableSpan): number {
  return span.endTime[0] - span.startTime[0] + (span.endTime[1] - span.startTime[1]) / 1e9
}
