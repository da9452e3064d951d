// Which region, gateway and pool a request goes to: the nearest region, unless its traffic has been moved.
import { hash } from '../core/random.ts'
import type { SimRequest } from '../core/request.ts'
import { nearestRegion } from '../fleet/distances.ts'
import type { Fleet, Gateway, Pool, ServedModel } from '../fleet/fleet.ts'
import { bookArrival } from './network.ts'

export class Geography {
  /** Region whose traffic goes to another one. */
  readonly failover = new Map<string, string>()
  private readonly pools = new Map<ServedModel, Map<string, Pool>>()
  private readonly gateways = new Map<string, Gateway[]>()
  private readonly near = new Map<string, string>()
  private fleet: Fleet | null = null

  attach(fleet: Fleet): void {
    this.fleet = fleet
    for (const client of fleet.clientRegions) this.near.set(client, nearestRegion(client, fleet.regions))
    for (const model of fleet.models) {
      this.pools.set(model, new Map(fleet.pools.filter((pool) => pool.model === model).map((pool) => [pool.region, pool])))
    }
    for (const region of fleet.regions) {
      this.gateways.set(
        region,
        fleet.gateways.filter((gateway) => gateway.region === region),
      )
    }
  }

  /** Chooses the gateway and books the way to it; returns the seconds until the router has the request. */
  enter(request: SimRequest): number {
    const fleet = this.fleet as Fleet
    const near = this.near.get(request.client.region) as string
    const region = this.failover.get(near) ?? near
    const gateways = this.gateways.get(region) as Gateway[]
    request.gateway = gateways[hash(request.seed, 23) % gateways.length] ?? null
    return bookArrival(request, fleet, region)
  }

  poolOf(request: SimRequest): Pool {
    const region = (request.gateway as { region: string }).region
    const pool = this.pools.get(request.model)?.get(region)
    if (pool === undefined) throw new Error(`no pool of ${request.model.name} in ${region}`)
    return pool
  }
}
