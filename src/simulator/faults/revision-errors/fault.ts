// Server errors of one revision
import type { FaultDefinition } from '../fault.ts'
import { withRevision } from '../targets.ts'

export const revisionErrors: FaultDefinition = {
  id: 'F33',
  name: 'revision-errors',
  title: 'Server errors of one revision',
  description: 'Requests of one revision fail with status 500 at a rate of 15 % · severity.',
  confusers: ['F32'],
  inject(world, random, severity, source) {
    const pool = random.pick(world.fleet.pools.filter((entry) => !entry.model.disaggregated))
    const revision = random.pick(pool.engines).spec.revision.name
    const engines = withRevision(world, pool.model.name, revision)
    return {
      truth: {
        slice: { revision: [revision] },
        cause: { revision: [revision] },
        phases: ['client.backoff'],
        mechanism: 'server_errors',
        victims: [
          {
            slice: { model: [pool.model.name] },
            phases: ['client.backoff', 'engine.queue', 'engine.decode'],
            why: 'failed attempts are tried again and answered by the other revision',
          },
        ],
        // Rows that failed have no engine phases: their means fall.
        steadyPhases: ['stream.network'],
        columns: ['outcome', 'error_class', 'attempts', 'http_status'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of engines) engine.errorRate.set(source, Math.min(0.95, 0.15 * severity * intensity))
      },
      change: { kind: 'deploy', title: `${revision} rolled out again`, scope: { revision: [revision] } },
    }
  },
}
