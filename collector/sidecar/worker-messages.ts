// What the two threads say to each other.
import type { FinishedRequest, OpenExchange } from '../receivers/proxy/observation.ts'
import type { SidecarSettings } from './settings.ts'

export interface WorkerStart {
  settings: SidecarSettings
  counters: SharedArrayBuffer
  /** Names this start of the sidecar. */
  instance: string
}

export type ToWorker =
  | { kind: 'finished'; requests: FinishedRequest[] }
  | { kind: 'open'; exchanges: OpenExchange[] }
  | { kind: 'metrics'; id: number }
  | { kind: 'stop'; limitMs: number }

export type FromWorker =
  | { kind: 'ready'; otlpHttpPort: number | null; otlpGrpcPort: number | null }
  /** A listener could not be opened: `flag` names it. */
  | { kind: 'refused'; flag: string; address: string; code: string }
  | { kind: 'metrics'; id: number; text: string }
  | { kind: 'stopped'; all: boolean }
