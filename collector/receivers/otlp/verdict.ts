// What becomes of one OTLP request: the seam between the receivers (HTTP and gRPC) and whoever takes the signals.
import type { DecodedTraces } from '../../../src/wire/otlp/decode.ts'
import type { DecodedLogs } from '../../../src/wire/otlp/decode-logs.ts'
import type { DecodedMetrics } from '../../../src/wire/otlp/decode-metrics.ts'

export type Verdict =
  /** Taken; `rejected` of its items were refused for good (OTLP partial success). */
  | { kind: 'taken'; rejected: number; message: string }
  /** Not taken: come again after so many seconds. `unavailable`: the store is away or slow; `overloaded`: too much at once. */
  | { kind: 'retry'; cause: 'unavailable' | 'overloaded'; afterSeconds: number; message: string }

/** Resolves when the sender may be told; a promise that rejects is an error of our own (500). */
export interface OtlpHandlers {
  traces(batch: DecodedTraces): Promise<Verdict>
  logs(batch: DecodedLogs): Promise<Verdict>
  metrics(batch: DecodedMetrics): Promise<Verdict>
}

export type Signal = keyof OtlpHandlers

/** Why a whole body was refused. */
export type BodyRefusal =
  | 'malformed'
  | 'too_large'
  | 'too_many_items'
  | 'media_type'
  | 'encoding'
  | 'unauthorized'
  | 'overloaded'
  | 'broken_off'

/** Counts bytes before they are kept; `take` is false where there is no room, and then nothing was counted. */
export interface InFlightBytes {
  take(bytes: number): boolean
  give(bytes: number): void
}

export interface ReceiverSettings {
  handlers: OtlpHandlers
  /** Bytes of a body, after decompression. */
  bodyBytes: number
  /** Bytes of all bodies in work, shared by the listeners. */
  inFlight: InFlightBytes
  /** Whether the `authorization` header lets the sender in. */
  authorize(header: string | undefined): boolean
  onRefused(reason: BodyRefusal): void
  onError(error: unknown): void
}

export function taken(rejected = 0, message = ''): Verdict {
  return { kind: 'taken', rejected, message }
}

const AWAY_SECONDS = 1

/** What is behind the receiver is away or slow for now. */
export function comeAgain(message: string): Verdict {
  return { kind: 'retry', cause: 'unavailable', afterSeconds: AWAY_SECONDS, message }
}
