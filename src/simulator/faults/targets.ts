// Drawing where a fault strikes. Only places with enough traffic are drawn: a fault that nobody meets has no truth.
import type { RandomStream } from '../core/random.ts'
import type { Engine } from '../engine/engine.ts'
import type { Rank } from '../engine/rank.ts'
import type { Pool } from '../fleet/fleet.ts'
import type { Tenant } from '../workload/tenant.ts'
import type { World } from '../world.ts'
import type { Victim } from './fault.ts'

export function drawPool(world: World, random: RandomStream, accept: (pool: Pool) => boolean): Pool {
  return random.pick(world.fleet.pools.filter(accept))
}

export function isDisaggregated(pool: Pool): boolean {
  return pool.model.disaggregated
}

export function isUnified(pool: Pool): boolean {
  return !pool.model.disaggregated
}

/** A replica that produces tokens: unified or decode side. */
export function drawServing(world: World, random: RandomStream, accept: (pool: Pool) => boolean = () => true): Engine {
  return random.pick(drawPool(world, random, accept).engines)
}

export function drawPrefill(world: World, random: RandomStream): { pool: Pool; engine: Engine } {
  const pool = drawPool(world, random, isDisaggregated)
  return { pool, engine: random.pick(pool.prefillEngines) }
}

export function drawRank(random: RandomStream, engine: Engine): Rank {
  return random.pick(engine.ranks)
}

/** An open-loop tenant with between a tenth and a third of the traffic where there is one. */
export function drawTenant(world: World, random: RandomStream, accept: (tenant: Tenant) => boolean = () => true): Tenant {
  const open = world.tenants.filter((tenant) => !tenant.closedLoop && accept(tenant))
  const large = open.filter((tenant) => tenant.share >= 0.05)
  return random.pick(large.length > 0 ? large : open)
}

/** Engines of a model that run the revision. */
export function withRevision(world: World, model: string, revision: string): Engine[] {
  return world.fleet.engines.filter((engine) => engine.spec.model === model && engine.spec.revision.name === revision)
}

/** Slice that names a replica by what it is in a row. */
export function replicaSlice(engine: Engine): Record<string, string[]> {
  return engine.spec.role === 'prefill' ? { prefill_replica: [engine.spec.name] } : { replica: [engine.spec.name] }
}

/** Whom the longer prompts of a tenant make slower: itself, and everybody on the same replicas. */
export function victimsOfPrompts({ name, models }: Tenant): Victim[] {
  return [
    { slice: { tenant: [name] }, phases: ['engine.prefill'], why: 'its own prompts grew' },
    { slice: { model: models.map(({ model }) => model.name) }, phases: ['engine.prefill', 'engine.admit'], why: 'shares replicas with it' },
  ]
}

/** Value of a knob between "not turned" and `full`, by intensity. */
export function between(neutral: number, full: number, intensity: number): number {
  return neutral + (full - neutral) * intensity
}
