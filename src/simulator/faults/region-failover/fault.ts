// Region failover
import { NothingToPick } from '../../core/random.ts'
import type { FaultDefinition } from '../fault.ts'

export const regionFailover: FaultDefinition = {
  id: 'F23',
  name: 'region-failover',
  title: 'Region failover',
  description: 'Traffic of one region is answered by another: its clients pay the distance, and the other region its load.',
  confusers: ['F11'],
  inject(world, random) {
    const [from, to] = random.shuffle(world.fleet.regions)
    if (from === undefined || to === undefined) throw new NothingToPick('one region has no other to go to')
    const clients = world.fleet.clientRegions.filter((client) => world.nearestRegion(client) === from)
    return {
      truth: {
        slice: { client_region: [...clients] },
        cause: { client_region: [...clients] },
        phases: ['client.upload', 'stream.network', 'engine.queue'],
        mechanism: 'region_failover',
        victims: [
          {
            slice: { region: [to] },
            phases: ['engine.queue', 'engine.decode', 'engine.prefill', 'engine.admit'],
            why: 'serves both regions',
          },
        ],
        steadyPhases: ['gateway.route'],
        columns: ['region', 'cluster', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        if (intensity > 0) world.journey.failover.set(from, to)
        else world.journey.failover.delete(from)
      },
      change: { kind: 'route', title: `traffic of ${from} moved to ${to}`, scope: { client_region: [...clients] }, from, to },
    }
  },
}
