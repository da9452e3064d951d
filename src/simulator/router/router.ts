// Picks a replica. Counts are as old as the pool's refresh interval plus what the router itself has sent since, as real routers see them.
import { hash } from '../core/random.ts'
import type { SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { Pool } from '../fleet/fleet.ts'

/** The affine replica is passed over when its load is this much above the pool's mean. */
const OVERLOAD_RATIO = 1.6
const OVERLOAD_SLACK = 6

interface View {
  refreshedAt: number
  loads: Map<Engine, number>
}

export class Router {
  private readonly views = new Map<Pool, View>()
  private turns = 0

  /** A healthy replica for the request, or null. `engines` is one side of the pool. */
  pick(pool: Pool, engines: readonly Engine[], request: SimRequest, now: number): Engine | null {
    const healthy = engines.filter((engine) => engine.up && !engine.draining)
    if (healthy.length === 0) return null
    const loads = this.loadsOf(pool, now)
    const engine = this.choose(pool, healthy, request, loads)
    loads.set(engine, (loads.get(engine) ?? 0) + 1)
    return engine
  }

  private choose(pool: Pool, engines: readonly Engine[], request: SimRequest, loads: Map<Engine, number>): Engine {
    if (engines.length === 1) return engines[0] as Engine
    if (pool.policy === 'round_robin') return engines[this.turns++ % engines.length] as Engine
    const least = leastLoaded(engines, loads, request.seed)
    if (pool.policy === 'least_loaded') return least
    const affine = byAffinity(engines, request)
    let sum = 0
    for (const engine of engines) sum += loads.get(engine) ?? 0
    const load = (loads.get(affine) ?? 0) * affine.routeBias.value
    return load > (OVERLOAD_RATIO * sum) / engines.length + OVERLOAD_SLACK ? least : affine
  }

  private loadsOf(pool: Pool, now: number): Map<Engine, number> {
    let view = this.views.get(pool)
    if (view === undefined) {
      view = { refreshedAt: Number.NEGATIVE_INFINITY, loads: new Map() }
      this.views.set(pool, view)
    }
    if (now - view.refreshedAt >= pool.refreshSeconds) {
      view.refreshedAt = now
      for (const engine of pool.engines) view.loads.set(engine, engine.waiting * 4 + engine.running)
      for (const engine of pool.prefillEngines) view.loads.set(engine, engine.waiting * 4 + engine.running)
    }
    return view.loads
  }
}

function leastLoaded(engines: readonly Engine[], loads: Map<Engine, number>, seed: number): Engine {
  const offset = hash(seed, 61) % engines.length
  let best = engines[offset] as Engine
  let bestLoad = Number.POSITIVE_INFINITY
  for (let index = 0; index < engines.length; index++) {
    const engine = engines[(index + offset) % engines.length] as Engine
    const load = ((loads.get(engine) ?? 0) + 1) * engine.routeBias.value
    if (load < bestLoad) {
      best = engine
      bestLoad = load
    }
  }
  return best
}

/** Rendezvous hashing of the conversation: losing a replica moves only its own conversations. */
function byAffinity(engines: readonly Engine[], request: SimRequest): Engine {
  let best = engines[0] as Engine
  let bestScore = -1
  for (const engine of engines) {
    const score = hash(engine.seed, request.session, 62)
    if (score > bestScore) {
      best = engine
      bestScore = score
    }
  }
  return best
}
