// Stock OpenTelemetry GenAI and HTTP client spans: the client that does not use our SDK.
import type { EngineAdapter } from '../adapter.ts'
import { claims, observe, requestIds } from './spans.ts'

export const genericGenAi: EngineAdapter = {
  name: 'generic-genai',
  title: 'OpenTelemetry GenAI client',
  vantage: 'client',
  seenVersions: ['openai-v2-2.3b0'],
  claims,
  observe,
  requestIds,
  response: { streamHeaders: 'unknown' },
  produces: [],
  unobservable: [
    { what: 'connection phases', instead: 'nothing: inside what is left before the next hop' },
    { what: 'first token', instead: 'the first chunk where the instrumentation tells it, else the stamp of the sidecar' },
  ],
}
