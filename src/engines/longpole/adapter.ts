// Our own senders: the SDK in the client program and the sidecar beside the engine.
import type { EngineAdapter } from '../adapter.ts'
import { claimsSdk, claimsSidecar, observeSdk, observeSidecar, requestIds } from './spans.ts'

export const longpoleSdk: EngineAdapter = {
  name: 'longpole-sdk',
  title: 'Longpole SDK',
  vantage: 'client',
  seenVersions: ['0.1.0'],
  claims: claimsSdk,
  observe: observeSdk,
  requestIds,
  response: { streamHeaders: 'unknown' },
  produces: [
    { phase: 'client.backoff', from: 'A', to: 'A', source: 'sdk attempts', exactness: 'measured' },
    { phase: 'client.connect', from: 'A', to: 'A', source: 'undici connection', exactness: 'measured' },
    { phase: 'client.upload', from: 'A', to: 'A', source: 'undici bodySent', exactness: 'measured' },
    { phase: 'client.consume', from: 'I', to: 'J', source: 'sdk iterator', exactness: 'measured' },
  ],
  unobservable: [
    { what: 'one-way network delay', instead: 'the round trip, from the stamps of the next hop' },
    { what: 'connection phases outside undici', instead: 'nothing' },
  ],
}

export const longpoleSidecar: EngineAdapter = {
  name: 'longpole-sidecar',
  title: 'Longpole sidecar',
  vantage: 'sidecar',
  seenVersions: ['0.1.0'],
  claims: claimsSidecar,
  observe: observeSidecar,
  requestIds,
  response: { streamHeaders: 'unknown' },
  produces: [{ phase: 'sidecar', from: 'B', to: 'C', source: 'sidecar proxy', exactness: 'measured' }],
  unobservable: [{ what: 'phases inside the engine', instead: "the engine's own spans; else the time to its first token as a whole" }],
}
