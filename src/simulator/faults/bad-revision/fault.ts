// Bad revision
import type { FaultDefinition } from '../fault.ts'
import { between, withRevision } from '../targets.ts'

export const badRevision: FaultDefinition = {
  id: 'F25',
  name: 'bad-revision',
  title: 'Bad revision',
  description:
    'One revision of a model computes slower: prefill and decode take 1 + 0.35·severity times as long on all its replicas, from its roll-out on.',
  confusers: ['F1', 'F20'],
  inject(world, random, severity, source) {
    const pool = random.pick(world.fleet.pools.filter((entry) => !entry.model.disaggregated))
    const revision = random.pick(pool.engines).spec.revision.name
    const engines = withRevision(world, pool.model.name, revision)
    return {
      truth: {
        slice: { revision: [revision] },
        cause: { revision: [revision] },
        phases: ['engine.prefill', 'engine.decode', 'engine.admit'],
        mechanism: 'slower_compute',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['tpot', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of engines) {
          for (const rank of engine.ranks) {
            rank.decodeScale.set(source, between(1, 1 + 0.35 * severity, intensity))
            rank.prefillScale.set(source, between(1, 1 + 0.35 * severity, intensity))
          }
        }
      },
      change: { kind: 'deploy', title: `${revision} rolled out again`, scope: { revision: [revision] } },
    }
  },
}
