// What an engine tells the fleet around it.
import type { EventQueue } from '../core/event-queue.ts'
import type { SimRequest } from '../core/request.ts'
import type { Engine } from './engine.ts'

export type SimQueue = EventQueue<SimRequest | null>

export interface EngineListener {
  /** The prompt is computed (first token known). For the prefill role the request leaves the engine here. */
  prefilled(engine: Engine, request: SimRequest, now: number): void
  /** The decode role has room for the request's KV. */
  roomFound(engine: Engine, request: SimRequest, now: number): void
  finished(engine: Engine, request: SimRequest, now: number): void
  failed(engine: Engine, request: SimRequest, now: number, errorClass: string, status: number | null): void
}
