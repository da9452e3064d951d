// Everything a run consists of, for those who turn its knobs: faults, shifts, the autoscaler, the wall-clock servers.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Journey } from './client/journey.ts'
import type { RandomStream } from './core/random.ts'
import type { Engine } from './engine/engine.ts'
import type { SimQueue } from './engine/listener.ts'
import type { EngineSpec, Fleet, Pool } from './fleet/fleet.ts'
import type { Arrivals } from './workload/arrivals.ts'
import type { Tenant } from './workload/tenant.ts'

export interface World {
  readonly seed: number
  readonly queue: SimQueue
  readonly fleet: Fleet
  readonly tenants: readonly Tenant[]
  readonly journey: Journey
  readonly arrivals: Arrivals
  /** Virtual second at which the run ends. */
  readonly until: number
  /** Unix nanoseconds of virtual second 0. */
  readonly startUnixNano: bigint
  /** For what is drawn while faults are set up. */
  random(purpose: string): RandomStream
  /** Runs once at a later virtual second. */
  later(seconds: number, act: (now: number) => void): void
  /** A new replica of a pool, not started. */
  addEngine(pool: Pool, spec: EngineSpec): Engine
  /** The serving region that clients of a region use. */
  nearestRegion(clientRegion: string): string
  /** Something in the fleet changed and said so. */
  announce(event: ChangeEvent): void
}

/** Unix nanoseconds of a virtual second. */
export function instantOf(world: Pick<World, 'startUnixNano'>, seconds: number): bigint {
  return world.startUnixNano + BigInt(Math.round(seconds * 1e9))
}
