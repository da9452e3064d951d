// Decode off the captured graphs
import type { FaultDefinition } from '../fault.ts'
import { withRevision } from '../targets.ts'

export const graphMiss: FaultDefinition = {
  id: 'F19',
  name: 'graph-miss',
  title: 'Decode off the captured graphs',
  description: 'Batches of one revision fall off the CUDA-graph path: steps take 1 + 0.8·severity times as long above a small batch size.',
  confusers: ['F1', 'F20'],
  inject(world, random, severity, source) {
    const pool = random.pick(world.fleet.pools)
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
        mechanism: 'slower_compute',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['tpot'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of engines) {
          engine.graphLimit = intensity > 0 ? 2 : Number.POSITIVE_INFINITY
          engine.offGraphScale.set(source, 1 + 0.8 * severity * intensity)
        }
      },
      change: { kind: 'config', title: `${revision}: capture sizes changed`, scope: { revision: [revision] } },
    }
  },
}
