// What the demo's processes say to each other. The fleet runs beside the hub, so that a busy simulation never makes the page wait.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'

export interface FleetSettings {
  seed: number
  /** Open-loop requests a second. */
  rate: number
  /** Wall time, in Unix milliseconds, at which live traffic begins and before which history ends. */
  liveFromMs: number
  /** Seconds of healthy history. */
  historySeconds: number
  /** Virtual seconds a wall second, once live. */
  speed: number
  /** Base addresses of the hub. */
  api: string
  otlp: string
  /** Key of the tenants' hash. */
  tenantKey: string
}

/** To the process that makes history. */
export type ToHistory =
  | { type: 'start'; settings: FleetSettings }
  /** The last block is being stored: send the next. */
  | { type: 'taken' }

export interface HistoryBlock {
  arrow: Uint8Array
  samples: EngineSample[]
  events: ChangeEvent[]
  rows: number
  /** Share of the history that is made. */
  done: number
}

/** To the process that lives. */
export type ToFleet =
  | { type: 'start'; settings: FleetSettings }
  | { type: 'inject'; flag: '--fault' | '--shift'; text: string }
  | { type: 'heal' }
  | { type: 'stop' }

export type FromFleet =
  | { type: 'live'; replicas: number }
  /** So many replicas are on real sockets, behind real sidecars. */
  | { type: 'sockets'; count: number }
  | { type: 'injected'; id: string; title: string; where: string; mechanism: string; phases: string[] }
  | { type: 'healed' }
  | { type: 'refused'; message: string }
  | { type: 'trouble'; message: string }
