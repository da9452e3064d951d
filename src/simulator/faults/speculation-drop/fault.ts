// Speculative acceptance drops
import type { FaultDefinition } from '../fault.ts'
import { between, withRevision } from '../targets.ts'

export const speculationDrop: FaultDefinition = {
  id: 'F24',
  name: 'speculation-drop',
  title: 'Speculative acceptance drops',
  description: 'Drafts of one revision are accepted 1 − 0.5·severity as often: fewer tokens a step, steps as fast as before.',
  confusers: ['F1'],
  inject(world, random, severity, source) {
    const pool = random.pick(world.fleet.pools.filter((entry) => entry.model.speculative))
    const revision = random.pick(pool.engines).spec.revision.name
    const engines = withRevision(world, pool.model.name, revision).filter((engine) => engine.spec.role !== 'prefill')
    const slice: Record<string, string[]> = pool.model.disaggregated
      ? { decode_replica: engines.map((engine) => engine.spec.name) }
      : { revision: [revision] }
    return {
      truth: {
        slice,
        cause: { revision: [revision] },
        phases: ['engine.decode'],
        mechanism: 'speculation_drop',
        victims: [
          { slice: { model: [pool.model.name] }, phases: ['engine.queue', 'engine.decode'], why: 'routers send more to the siblings' },
        ],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['accepted', 'tpot'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of engines) engine.acceptScale.set(source, between(1, Math.max(0.02, 1 - 0.5 * severity), intensity))
      },
      change: { kind: 'model', title: `${revision}: draft weights replaced`, scope: { revision: [revision] } },
    }
  },
}
