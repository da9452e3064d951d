// A plain OpenAI-compatible server of which nothing is known. It sends no spans, so this adapter claims none: what is known of a
// request is what the SDK and the sidecar saw of it. It stands in the list so that doctor and the docs can say so.
import type { EngineAdapter } from '../adapter.ts'

export const openaiCompatible: EngineAdapter = {
  name: 'openai-compatible',
  title: 'OpenAI-compatible server',
  vantage: 'engine',
  seenVersions: [],
  claims: () => false,
  observe: () => [],
  requestIds: () => [],
  response: { streamHeaders: 'unknown' },
  produces: [],
  unobservable: [
    { what: 'every phase inside the server', instead: 'request sent to first token, and first to last token, from the sidecar or the SDK' },
    { what: 'load of the server', instead: 'requests in flight at the sidecar' },
  ],
}
